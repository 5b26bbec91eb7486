/** The page of `holdstill serve --page`: what runs comes as a stream, the rest is asked for when something has ended. */
import { visible } from "../../../base/display/visible.js";
import type { Event, Operation, PastTransaction, SetList, WriterList } from "../../../base/schema/types.js";
import { part } from "./element.js";
import { History } from "./history.js";
import { LiveOperation } from "./live.js";
import { setTable } from "./sets.js";
import { type LastTimes, writerTable } from "./writers.js";

/** The address that the page was opened by, seen from the page: it lies as deep as its modules do. */
const root = "../../../";

/** How often the bars grow, how long what is over stays in sight, and how often at most the rest is read again, ms. */
const times = { grow: 100, stay: 15_000, refresh: 1000 } as const;

const live = new Map<string, LiveOperation>();
const past = new History(part("history"));
/** What our clock is ahead of the service's, ms: the page may be looked at from another machine. */
let ahead = 0;
let writers: WriterList | null = null;
let last: LastTimes = {};
const now = (): number => Date.now() - ahead;

async function read<T>(what: string): Promise<T> {
  const answer = await fetch(`${root}${what}`);
  if (!answer.ok) throw new Error(await answer.text());
  // Nothing of this may steer how a line is written, or look like ours.
  return visible((await answer.json()) as T);
}

/** Anew, without taking the focus away from who reads it. */
function fill(id: string, content: Node | string): void {
  const place = part(id);
  const hasFocus = place.contains(document.activeElement);
  place.replaceChildren(content);
  if (hasFocus) place.querySelector<HTMLElement>("[tabindex]")?.focus();
}

/** What fails is told, and does not stop the rest. */
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
      return known.transactions.length === 0 ? "There were no transactions." : "";
    }),
  ]);
}

/** null: nothing is to be read again. */
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

function begin(operation: Operation): void {
  const one = new LiveOperation(operation, now);
  live.set(operation.id, one);
  part("live").prepend(one.element);
  part("idle").hidden = true;
}

function tell({ operation, event }: { operation: string; event: Event }): void {
  const one = live.get(operation);
  const said = one?.note(event) ?? null;
  if (said !== null) part("phase").textContent = said;
  if (one?.isOver !== true) return;
  live.delete(operation);
  setTimeout(() => {
    one.element.remove();
    part("idle").hidden = part("live").childElementCount > 0;
  }, times.stay);
  refreshSoon();
}

function say(text: string, isLost: boolean): void {
  const line = part("connection");
  line.textContent = text;
  line.className = isLost ? "lost" : "";
}

function follow(): void {
  const stream = new EventSource(`${root}events`);
  stream.addEventListener("hello", (message) => {
    ahead = Date.now() - Date.parse((dataOf(message) as { now: string }).now);
    live.clear();
    part("live").replaceChildren();
    part("idle").hidden = false;
    say("● connected", false);
    void refresh();
  });
  stream.addEventListener("operation", (message) => begin(dataOf(message) as Operation));
  stream.addEventListener("told", (message) => tell(dataOf(message) as { operation: string; event: Event }));
  stream.addEventListener("error", () => {
    const isOver = stream.readyState === EventSource.CLOSED;
    say(isOver ? "✗ the service is gone, or another now: this page is old" : "✗ no answer; trying again", true);
  });
}

setInterval(() => {
  for (const one of live.values()) one.draw();
}, times.grow);
part("ask").addEventListener("click", () => void askWriters());
void read<{ version: string; stateDir: string; pid: number }>("about").then(({ version, stateDir, pid }) => {
  part("about").textContent = `${version}, state in ${stateDir}, pid ${pid}`;
});
void askWriters();
follow();
