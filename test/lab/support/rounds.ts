import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Exposed, Snapshot, Writer, WriterTransaction } from "holdstill/plugin";
import type { TestContext as Called } from "../../support/fixture/context.js";
import { type Acknowledged, verifyLedger } from "../../support/server/ledger.js";
import { LedgerLoad, type LoadClient } from "../../support/server/load.js";
import { tempDir } from "../../support/storage/temp.js";
import type { LvmSets } from "./lvm-set.js";
import { fullTransaction } from "../../support/fixture/writer-transaction.js";

/** How many sets are taken; `HOLDSTILL_ROUNDS=30 npm run lab -- --minutes 40 postgres mysql` for the full measure. */
export const rounds = Number(process.env["HOLDSTILL_ROUNDS"] ?? 2);

/** A server on a snapshot. */
interface Second {
  readonly readyMs: number;
  connect(): Promise<LoadClient>;
  stop(): Promise<void>;
}

export interface Subject<Options> {
  readonly writer: Writer<Options>;
  readonly ctx: Called<Options>;
  readonly load: LedgerLoad;
  readonly open: (snapshot: Exposed) => Promise<Second>;
}

interface Round {
  readonly tx: WriterTransaction;
  readonly snapshots: readonly Snapshot[];
  readonly confirmed: readonly Acknowledged[];
  readonly heldMs: number;
  readonly stallMs: number;
}

/**
 * Takes a set of the server's volumes, again and again, while it is under load: each snapshot is repaired, opens, has all that was
 * confirmed before the cut and nothing by halves, and takes more. A subtest's name tells how it went.
 */
export async function takeRounds<Options>(t: TestContext, sets: LvmSets, subject: Subject<Options>): Promise<void> {
  const { writer, ctx, load } = subject;
  const taken: (Round & { redoBytes: number; startMs: number })[] = [];
  for (let number = 1; number <= rounds; number += 1) {
    await load.advance(30);
    const round = await take(t, sets, subject, `Set-${number}`);
    try {
      const snapshot = await show(round, sets);
      const repaired = await writer.repair?.(round.tx, snapshot, ctx);
      assert.deepEqual([repaired?.ok, repaired?.reason], [true, undefined]);
      const second = await subject.open(snapshot);
      taken.push({ ...round, redoBytes: Number(repaired?.facts?.["redoBytes"]), startMs: second.readyMs });
      try {
        await proveWhole(second, round.confirmed);
      } finally {
        await second.stop();
      }
    } finally {
      for (const snapshot of round.snapshots) await provider.unexpose(snapshot, sets.ctx);
      for (const snapshot of round.snapshots) await provider.remove(snapshot, sets.ctx);
    }
  }
  assert.deepEqual([...ctx.complaints, ...sets.warnings], []);
  const middle = (what: "heldMs" | "stallMs" | "redoBytes" | "startMs"): number =>
    median(taken.map((one) => one[what]));
  await t.test(
    `${taken.length} sets; medians: held ${middle("heldMs")} ms, longest transaction meanwhile ${middle("stallMs")} ms, ` +
      `${middle("redoBytes")} bytes of redo in the repair, start ${middle("startMs")} ms`,
  );
}

/** One set: the writer's phases, and the provider's within. */
async function take<Options>(
  t: TestContext,
  sets: LvmSets,
  { writer, ctx, load }: Subject<Options>,
  id: string,
): Promise<Round> {
  const components = await writer.identify(ctx);
  const tx = fullTransaction({ id, cut: "atomic", components, sidecarDir: tempDir(t) });
  const prepared = await sets.prepare(tx.components.flatMap(({ paths }) => paths));
  await writer.prepare?.(tx, ctx);
  load.lap();
  const token = await writer.freeze(tx, ctx);
  const confirmed = load.acknowledged();
  const { report, seal } = await prepared.cut();
  const thaw = await writer.thaw(tx, token, ctx);
  const { worstStallMs: stallMs } = load.lap();
  assert.deepEqual([thaw.uninterrupted, thaw.reason], [true, undefined]);
  await writer.seal?.(tx, ctx);
  return { tx, snapshots: (await seal()).snapshots, confirmed, heldMs: report.heldMs, stallMs };
}

/** What the host gives to recover. */
async function show({ tx, snapshots }: Round, { ctx }: LvmSets): Promise<Exposed> {
  const trees: Exposed["trees"][number][] = [];
  for (const snapshot of snapshots) {
    const at = path.join("/mnt/exposed", snapshot.id);
    mkdirSync(at, { recursive: true });
    trees.push(...(await provider.expose(snapshot, { access: "writable", at }, ctx)).trees);
  }
  const captured = tx.components.flatMap(({ paths }) => paths);
  assert.deepEqual(new Set(trees.map(({ original }) => original)), new Set(captured));
  return { trees, readOnly: false };
}

async function proveWhole(server: Second, confirmed: readonly Acknowledged[]): Promise<void> {
  const client = await server.connect();
  await verifyLedger(client, confirmed);
  const more = new LedgerLoad(async () => await server.connect());
  await more.start(2);
  await more.advance(10);
  await more.stop();
  await verifyLedger(client, more.acknowledged());
  await client.end();
}

function median(all: readonly number[]): number {
  return Math.round(all.toSorted((a, b) => a - b)[all.length >> 1] ?? 0);
}
