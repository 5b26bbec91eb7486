/** The page of `holdstill serve --page`: operations arrive as a stream, and the rest is requested when one has ended. */
import { visible } from "../../../base/display/visible.js";
import type { Event, OperationDocument, PastTransaction, SetList, WriterList } from "../../../base/schema/types.js";
import { part } from "./element.js";
import { HistoryPanel } from "./history.js";
import { LiveOperation } from "./live.js";
import { setTable } from "./sets.js";
import { type LastTimes, writerTable } from "./writers.js";

/** From the page to the address that it was opened by. */
const root = "../../../";

/**
 * Time between drawings, time that an ended operation stays visible, least and usual time between requests for the rest, ms. The end of a
 * backup is not an operation.
 */
const times = { grow: 100, stay: 15_000, refresh: 1000, look: 15_000 } as const;

const live = new Map<string, LiveOperation>();
const past = new HistoryPanel(part("history"));
/** Our clock less the service's, ms: the page may be open on another machine. */
let ahead = 0;
let writers: WriterList | null = null;
let last: LastTimes = {};
const now = (): number => Date.now() - ahead;

async function read<T>(name: string): Promise<T> {
  const response = await fetch(`${root}${name}`);
  if (!response.ok) throw new Error(await response.text());
  // Control characters must not change how a line is displayed.
  return visible((await response.json()) as T);
}

/** Replaces the content, and keeps the focus. */
function fill(id: string, content: Node | string): void {
  const container = part(id);
  const hasFocus = container.contains(document.activeElement);
  container.replaceChildren(content);
  if (hasFocus) container.querySelector<HTMLElement>("[tabindex]")?.focus();
}

/** A failure is shown in place of the content, and does not stop the rest. */
async function put(id: string, show: () => Promise<Node | string>): Promise<void> {
  fill(id, await show().catch(String));
}

async function refresh(): Promise<void> {
  await Promise.all([
    put("sets", async () => setTable(await read<SetList>("sets"))),
    put("no-history", async () => {
      const known = await read<{ transactions: PastTransaction[]; last: LastTimes }>("history");
      past.show(known.transactions);
      last = known.last;
      showWriters();
      return known.transactions.length === 0 ? "There are no transactions." : "";
    }),
  ]);
}

/** The timer of the next refresh; null: none is due. */
let waiting: number | null = null;

function refreshSoon(): void {
  waiting ??= setTimeout(() => {
    waiting = null;
    void refresh();
  }, times.refresh);
}

function showWriters(): void {
  if (writers !== null) fill("writers", writerTable(writers, last));
}

async function askWriters(): Promise<void> {
  const button = part("ask") as HTMLButtonElement;
  button.disabled = true;
  await put("writers", async () => {
    writers = await read<WriterList>("writers");
    return writerTable(writers, last);
  });
  button.disabled = false;
}

function dataOf({ data }: MessageEvent<unknown>): unknown {
  return visible(JSON.parse(data as string) as unknown);
}

function begin(operation: OperationDocument): void {
  const one = new LiveOperation(operation, now);
  live.set(operation.id, one);
  part("live").prepend(one.element);
  part("idle").hidden = true;
}

function showEvent({ operation, event }: { operation: string; event: Event }): void {
  const one = live.get(operation);
  const text = one?.note(event) ?? null;
  if (text !== null) part("phase").textContent = text;
  if (one?.isOver !== true) return;
  live.delete(operation);
  setTimeout(() => {
    one.element.remove();
    part("idle").hidden = part("live").childElementCount > 0;
  }, times.stay);
  refreshSoon();
}

function showConnection(text: string, state: "connected" | "lost"): void {
  const line = part("connection");
  line.textContent = text;
  line.className = state === "lost" ? "lost" : "";
}

function follow(): void {
  const stream = new EventSource(`${root}events`);
  stream.addEventListener("hello", (message) => {
    ahead = Date.now() - Date.parse((dataOf(message) as { now: string }).now);
    live.clear();
    part("live").replaceChildren();
    part("idle").hidden = false;
    showConnection("● connected", "connected");
    void refresh();
  });
  stream.addEventListener("operation", (message) => begin(dataOf(message) as OperationDocument));
  stream.addEventListener("event", (message) => showEvent(dataOf(message) as { operation: string; event: Event }));
  stream.addEventListener("error", () => {
    const isOver = stream.readyState === EventSource.CLOSED;
    showConnection(
      isOver ? "✗ the service has ended; this page is out of date" : "✗ no connection; trying again",
      "lost",
    );
  });
}

setInterval(() => {
  for (const one of live.values()) one.draw();
}, times.grow);
setInterval(() => {
  if (!document.hidden) refreshSoon();
}, times.look);
part("ask").addEventListener("click", () => void askWriters());
void read<{ version: string; stateDir: string; pid: number }>("about").then(({ version, stateDir, pid }) => {
  part("about").textContent = `${version}, state in ${stateDir}, pid ${pid}`;
});
void askWriters();
follow();
