import provider from "@holdstill/provider-lvm";
import type { Context, Snapshot, Transaction, View, Volume } from "holdstill/plugin";
import { Keeper, type SectionReport } from "#core/keeper/client.js";
import { lapseOf } from "#core/keeper/verdict.js";
import { locate } from "#core/storage/volumes.js";
import type { TestContext } from "node:test";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { probeContext } from "../../rig/context.js";
import { onEnd } from "../../rig/on-end.js";
import { tempDir } from "../../rig/temp.js";

type Options = Parameters<typeof provider.prepare>[2]["options"];

export interface TakenSet {
  readonly tx: Transaction;
  readonly snapshots: Snapshot[];
  readonly report: SectionReport;
  /** ms */
  readonly took: { readonly prepare: number; readonly seal: number };
}

let made = 0;

/** provider-lvm as the host drives it, with a keeper that holds and commits. */
export class LvmSets {
  readonly ctx: Context<Options>;
  readonly warnings: string[];
  readonly #t: TestContext;
  readonly #exposed: Snapshot[] = [];

  constructor(t: TestContext, options: Partial<Options> = {}) {
    const defaults = { size: "auto", poolLimit: 90, revert: "refuse" } as const;
    const probe = probeContext<Options>({ ...defaults, ...options }, tempDir(t), AbortSignal.timeout(110_000));
    this.ctx = probe.ctx;
    this.warnings = probe.warnings;
    this.#t = t;
  }

  transaction(): Transaction {
    made += 1;
    return { id: `20260101-000000-${made.toString(16).padStart(6, "0")}`, cut: "atomic" };
  }

  /** The volumes that these paths lie on. */
  volumes(paths: readonly string[]): Volume[] {
    return locate([{ paths, exclude: [] }]).volumes;
  }

  async take(paths: readonly string[], tx = this.transaction()): Promise<TakenSet> {
    const volumes = this.volumes(paths);
    const begun = performance.now();
    const section = await provider.prepare(tx, volumes, this.ctx);
    const prepared = performance.now();
    const keeper = await Keeper.arm({
      points: section.hold,
      ops: section.commit,
      limitMs: 10_000,
      includeRoot: false,
      volumes,
    });
    try {
      await keeper.hold();
      const report = await keeper.release();
      const lapse = lapseOf(report);
      if (lapse !== null) throw lapse;
      const committed = performance.now();
      const snapshots = await provider.seal(tx, this.ctx);
      const took = { prepare: prepared - begun, seal: performance.now() - committed };
      return { tx, snapshots, report, took };
    } finally {
      await keeper.disarm();
    }
  }

  /** Shows a snapshot, until the test ends. */
  async expose(snapshot: Snapshot, access: View["access"] = "read-only"): Promise<string[]> {
    if (!this.#exposed.includes(snapshot)) {
      this.#exposed.push(snapshot);
      onEnd(this.#t, async () => await provider.conceal(snapshot, this.ctx));
    }
    const at = path.join("/mnt/exposed", snapshot.id);
    mkdirSync(at, { recursive: true });
    const { trees } = await provider.expose(snapshot, { access, at }, this.ctx);
    return trees.map((tree) => tree.path);
  }
}
