import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import provider from "@holdstill/provider-dmsnap";
import type { CriticalSection, Snapshot, View } from "holdstill/plugin";
import { Keeper, type SectionReport } from "#core/keeper/client/client.js";
import { locate } from "#core/plan/locate.js";
import { context, type TestContext as PluginContext } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";
import type { MountedVolume } from "./volume-group.js";
import { listAll } from "../../support/fixture/list-all.js";

export interface Options extends Record<string, unknown> {
  store?: string;
  size: string;
  persistent: boolean;
}

const defaults: Options = { size: "auto", persistent: true };

let taken = 0;

/** The provider as the host drives it: one instance, a new context for each call. */
export class Dmsnap {
  readonly dataDir: string;
  readonly #options: Options;
  readonly #t: TestContext;

  constructor(t: TestContext, options: Partial<Options> = {}, dataDir = tempDir(t)) {
    this.#t = t;
    this.dataDir = dataDir;
    this.#options = { ...defaults, ...options };
  }

  get ctx(): PluginContext<Options> {
    return context(this.#options, { dataDir: this.dataDir });
  }

  /** A new transaction's id. */
  id(): string {
    taken += 1;
    return `20260101-000000-${String(taken).padStart(6, "0")}`;
  }

  prepare(id: string, volumes: readonly MountedVolume[]): Promise<CriticalSection> {
    const { volumes: located } = locate([{ paths: volumes.map(({ mount }) => mount), exclude: [] }]);
    return provider.prepare({ id, cut: "atomic" }, located, this.ctx);
  }

  /** The critical section, by a keeper. */
  async hold({ hold, commit }: CriticalSection): Promise<SectionReport> {
    const keeper = await Keeper.arm({ targets: hold, ops: commit, limitMs: 8000, includeRoot: false });
    try {
      await keeper.hold();
      return await keeper.release();
    } finally {
      await keeper.disarm();
    }
  }

  seal(id: string): Promise<Snapshot[]> {
    return provider.seal({ id, cut: "atomic" }, this.ctx);
  }

  abort(id: string): Promise<void> {
    return provider.abort({ id, cut: "atomic" }, this.ctx);
  }

  list(): Promise<Snapshot[]> {
    return listAll(provider, this.ctx);
  }

  /** A whole snapshot set. */
  async take(
    volumes: readonly MountedVolume[],
    id = this.id(),
  ): Promise<{ id: string; snapshots: Snapshot[]; report: SectionReport }> {
    const section = await this.prepare(id, volumes);
    const report = await this.hold(section);
    assert.deepEqual(
      report.targets.map(({ inForce }) => inForce),
      volumes.map(() => true),
    );
    return { id, snapshots: await this.seal(id), report };
  }

  /** Exposes a snapshot, and answers where its first tree lies. */
  async expose(snapshot: Snapshot, access: View["access"] = "read-only"): Promise<string> {
    const at = path.join("/mnt", `${process.pid}-exposed`, snapshot.id);
    mkdirSync(at, { recursive: true });
    const exposed = await provider.expose(snapshot, { access, at }, this.ctx);
    assert.equal(exposed.readOnly, access === "read-only");
    return exposed.trees[0]?.path ?? "";
  }

  unexpose(snapshot: Snapshot): Promise<void> {
    return provider.unexpose(snapshot, this.ctx);
  }

  remove(snapshot: Snapshot): Promise<void> {
    return provider.remove(snapshot, this.ctx);
  }

  async fork(snapshot: Snapshot): Promise<Snapshot> {
    const fork = await provider.fork?.(snapshot, this.ctx);
    assert.ok(fork);
    return fork;
  }

  async preserve(snapshot: Snapshot): Promise<Snapshot> {
    const kept = await provider.preserve?.(snapshot, { id: this.id(), cut: "per-volume" }, this.ctx);
    assert.ok(kept);
    return kept;
  }

  async revert(snapshot: Snapshot): Promise<void> {
    await provider.revert?.(snapshot, this.ctx);
  }

  /** Removes all snapshots before the devices below them go. */
  cleanUp(): this {
    onEnd(this.#t, async () => {
      for (const snapshot of await this.list()) await this.remove(snapshot);
    });
    return this;
  }
}
