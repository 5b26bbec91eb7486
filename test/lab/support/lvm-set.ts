import { mkdirSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Context, CriticalSection, Snapshot, Transaction, View, Volume } from "holdstill/plugin";
import { Keeper, type SectionReport } from "#core/keeper/client/client.js";
import { lapseError } from "#core/keeper/client/outcome.js";
import { locate } from "#core/plan/locate.js";
import { probeContext } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";

export type Options = Parameters<typeof provider.prepare>[2]["options"];

export interface TakenSet {
  readonly tx: Transaction;
  readonly snapshots: Snapshot[];
  readonly report: SectionReport;
  /** ms */
  readonly took: { readonly prepare: number; readonly seal: number };
}

export interface PreparedSet {
  cut(): Promise<{ report: SectionReport; seal: () => Promise<TakenSet> }>;
}

const defaults: Options = { size: "auto", poolLimit: 90, revert: "refuse" };
/** Of a whole test, ms. */
const LIMIT = 280_000;

let made = 0;

/** provider-lvm as the host drives it, with a keeper that holds and commits. */
export interface LvmSets {
  readonly ctx: Context<Options>;
  readonly warnings: string[];
  take(paths: readonly string[]): Promise<TakenSet>;
  /** The same in its steps. */
  prepare(paths: readonly string[]): Promise<PreparedSet>;
  /** Shows a snapshot until the test ends, and answers where its trees are. */
  expose(snapshot: Snapshot, access?: View["access"]): Promise<string[]>;
}

export function lvmSets(t: TestContext, options: Partial<Options> = {}, limitMs = LIMIT): LvmSets {
  const { ctx, warnings } = probeContext({ ...defaults, ...options }, tempDir(t), AbortSignal.timeout(limitMs));
  const prepareSet = async (paths: readonly string[]): Promise<PreparedSet> => {
    const [tx, volumes, begun] = [transaction(), volumesOf(paths), performance.now()];
    const section = await provider.prepare(tx, volumes, ctx);
    const prepare = performance.now() - begun;
    const cut = async (): ReturnType<PreparedSet["cut"]> => {
      const report = await commit(section, volumes);
      const seal = async (): Promise<TakenSet> => {
        const sealing = performance.now();
        const snapshots = await provider.seal(tx, ctx);
        return { tx, snapshots, report, took: { prepare, seal: performance.now() - sealing } };
      };
      return { report, seal };
    };
    return { cut };
  };
  const take = async (paths: readonly string[]): Promise<TakenSet> => {
    const { seal } = await (await prepareSet(paths)).cut();
    return await seal();
  };
  const shown = new Set<string>();
  const expose = async (snapshot: Snapshot, access: View["access"] = "read-only"): Promise<string[]> => {
    if (!shown.has(snapshot.id)) onEnd(t, async () => await provider.unexpose(snapshot, ctx));
    shown.add(snapshot.id);
    const at = path.join("/mnt/exposed", snapshot.id);
    mkdirSync(at, { recursive: true });
    const { trees } = await provider.expose(snapshot, { access, at }, ctx);
    return trees.map((tree) => tree.path);
  };
  return { ctx, warnings, take, prepare: prepareSet, expose };
}

export function transaction(): Transaction {
  made += 1;
  return { id: `20260101-000000-${made.toString(16).padStart(6, "0")}`, cut: "atomic" };
}

/** The volumes that these paths lie on. */
export function volumesOf(paths: readonly string[]): Volume[] {
  return locate([{ paths, exclude: [] }]).volumes;
}

/** Holds, does the operations, releases. Rejects where not everything was held throughout. */
export async function commit(section: CriticalSection, volumes: readonly Volume[]): Promise<SectionReport> {
  const plan = { targets: section.hold, ops: section.commit, limitMs: 10_000, includeRoot: false, volumes };
  const keeper = await Keeper.arm(plan);
  try {
    await keeper.hold();
    const report = await keeper.release();
    const lapse = lapseError(report);
    if (lapse !== null) throw lapse;
    return report;
  } finally {
    await keeper.disarm();
  }
}
