/**
 * The main job on real parts: a PostgreSQL server under a write load is held still, captured, restored into a second server and
 * checked. Then the same with an application that hangs in freeze. `--json` ends with one line of measured values.
 */
import type { EndedEvent, Event } from "#core/base/schema/types.js";
import { createLedger, verifyLedger, type Acknowledged } from "../support/server/ledger.js";
import { LedgerLoad } from "../support/server/load.js";
import { adopt, startPostgres, type PostgresServer } from "../support/server/postgres-server.js";
import { scratch } from "../support/storage/scratch.js";
import { createStream } from "./cli.js";
import { DemoStage } from "./stage.js";

const asJson = process.argv.includes("--json");
const say = (text = ""): void => (asJson ? undefined : console.log(text));

const folder = scratch("demo");
const server = await startPostgres();
const load = new LedgerLoad(() => server.connect());
try {
  const stage = new DemoStage(folder.path, server);
  const first = await captured(stage);
  const abort = await aborted(stage);
  const result = { ...first, abort };
  if (asJson) console.log(JSON.stringify(result));
  process.exitCode = isGood(result) ? 0 : 1;
} finally {
  await load[Symbol.asyncDispose]();
  await server.stop("immediate");
  folder.remove();
}

async function captured(stage: DemoStage) {
  say("1. A real PostgreSQL server, four writers moving money in a double-entry ledger.");
  const client = await server.connect();
  await createLedger(client);
  await client.end();
  await load.start(4);
  await load.advance(500);
  const before = load.lap();
  say(`   ${before.rate.toFixed(0)} transactions/s, slowest ${before.worstStallMs.toFixed(0)} ms\n`);

  say("2. holdstill create writer:pg-main");
  let confirmed: Acknowledged[] = [];
  const ended = await create(["writer:pg-main", "--config", stage.config], (event) => {
    if (isBegun(event, "freeze")) confirmed = load.acknowledged();
  });
  const during = load.lap();
  say(
    `   the load meanwhile: ${during.rate.toFixed(0)} transactions/s, slowest ${during.worstStallMs.toFixed(0)} ms\n`,
  );
  const { set, text } = await stage.show();
  say(text);

  say("3. The set, restored into a second server.");
  const dataDir = await stage.restore(set);
  adopt(dataDir);
  await using copy = await server.startOn(dataDir);
  const rowsChecked = await check(copy, confirmed);
  say(`   ready after ${copy.readyMs.toFixed(0)} ms; ${rowsChecked} rows checked: none missing, the books balance\n`);
  return { consistency: ended.consistency ?? "none", restored: true, rowsChecked, frozenMs: set.frozenMs };
}

async function check(copy: PostgresServer, confirmed: Acknowledged[]): Promise<number> {
  const client = await copy.connect();
  try {
    if (confirmed.length === 0) throw new Error("no freeze was seen");
    const { rowsChecked } = await verifyLedger(client, confirmed);
    await client.query("UPDATE account SET balance = balance WHERE id = 1");
    return rowsChecked;
  } finally {
    await client.end();
  }
}

async function aborted(stage: DemoStage) {
  say("4. The same with an application that hangs in freeze; the freeze window is 2 s.");
  const config = stage.withHangingWriter(server);
  let culprit = "";
  let asked = 0;
  let afterMs = 0;
  const ended = await create(["writer:pg-main", "writer:hung-app", "--config", config], (event) => {
    if (isBegun(event, "freeze") && event.actor === "hung-app") asked = event.ms;
    if (event.type === "call" && event.op === "freeze" && event.status === "failed") {
      culprit = event.actor;
      afterMs = event.ms - asked;
    }
  });
  say(`   ✗ ${ended.error?.message ?? "it did not abort"}`);
  await load.advance(200);
  const thawed = ended.outcome === "aborted" && (await sessionsLeft()) === 0;
  const leftovers = await stage.leftovers();
  say(`   aborted; the load runs at ${load.rate().toFixed(0)} transactions/s; ${leftovers} things left behind`);
  return { culprit, afterMs: Math.round(afterMs), thawed, leftovers };
}

async function create(args: readonly string[], onEvent: (event: Event) => void): Promise<EndedEvent> {
  let ended: EndedEvent | undefined;
  await createStream(args, (event) => {
    onEvent(event);
    if (event.type === "phase") say(`   ${event.phase}`);
    if (event.type === "ended") ended = event;
  });
  if (ended === undefined) throw new Error("the event stream had no end");
  return ended;
}

/** Sessions and slots of ours in the live server: each would be a backup mode that nobody ended. */
async function sessionsLeft(): Promise<number> {
  const [row] = await server.query<{ n: number }>(`
    SELECT ((SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'holdstill%')
          + (SELECT count(*) FROM pg_replication_slots))::int AS n`);
  return row?.n ?? -1;
}

function isBegun(event: Event, op: string): event is Extract<Event, { type: "call" }> {
  return event.type === "call" && event.op === op && event.status === "begun";
}

function isGood({
  consistency,
  abort,
}: {
  consistency: string;
  abort: { culprit: string; thawed: boolean; leftovers: number };
}): boolean {
  return consistency === "application" && abort.culprit === "hung-app" && abort.thawed && abort.leftovers === 0;
}
