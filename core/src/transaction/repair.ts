import type { LimitsMs } from "../base/config/settings.js";
import type { PluginWorkers } from "../host/plugin-workers.js";
import type { Who } from "../base/errors/details.js";
import { isHoldstillError, toFault } from "../base/errors/error.js";
import type { ProviderAnswer, ProviderArgs } from "../host/isolation/operations.js";
import { isProvider, type Session } from "../host/isolation/session.js";
import type { PlannedWriter } from "../plan/plan.js";
import type { WriterTransaction } from "../host/contract/context.js";
import type { Exposed, Repair, Snapshot } from "../base/schema/types.js";
import type { ExposureDirs } from "./services.js";
import { checkExposed } from "../os/path/exposed-tree.js";
import { isCreating } from "./await-ready.js";
import { mergeExposed } from "./merge-exposed.js";
import { undoAll } from "./undo-all.js";

/** A snapshot that was sealed, and its provider. */
export interface SealedSnapshot {
  readonly who: Who;
  readonly snapshot: Snapshot;
}

export interface RepairContext {
  readonly workers: PluginWorkers;
  readonly limits: LimitsMs;
  /** Id of the set. */
  readonly set: string;
  /** Why a snapshot of this volume cannot be repaired itself, without a fork; null: it can. */
  readonly whyOnlyForks: (volumeId: string, provider: Who) => string | null;
  readonly exposures: ExposureDirs;
}

type Needed = "fork" | "expose" | "unexpose";

/**
 * The writers' repairs of one set's snapshots, one after another: two writers may have their data on one volume. Where the provider
 * makes a fork, the snapshot as it was cut stays beside it.
 */
export class Repairs {
  readonly #context: RepairContext;
  /** By a snapshot's id: what is written to in its place. */
  readonly #writable = new Map<string, SealedSnapshot>();
  /** By a writer's instance. */
  readonly #failed = new Map<string, Repair>();
  #last: Promise<unknown> = Promise.resolve();
  #asked: Session<"provider"> | null = null;
  #isCancelled = false;

  constructor(context: RepairContext) {
    this.#context = context;
  }

  /** The snapshots that were made for repairs. */
  get forks(): SealedSnapshot[] {
    return [...this.#writable.values()].filter(({ snapshot }) => snapshot.of !== undefined);
  }

  /** A repair that failed with an error: what it has written to is neither what was cut nor repaired. */
  failedOf(writer: string): Repair | undefined {
    return this.#failed.get(writer);
  }

  /** Resolves when no repair is running. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Ends the running repair. @returns The provider whose call was cut off. */
  cancel(): string | null {
    this.#isCancelled = true;
    this.#asked?.cancel();
    return this.#asked?.who.instance ?? null;
  }

  run(
    writer: Session<"writer">,
    planned: Pick<PlannedWriter, "components" | "volumes">,
    tx: WriterTransaction,
    sealed: readonly SealedSnapshot[],
    limitMs: number,
  ): Promise<Repair> {
    const components = planned.components.filter(({ repair = "none" }) => repair !== "none");
    const snapshots = sealed.filter(
      ({ snapshot }) => snapshot.of === undefined && planned.volumes.includes(snapshot.volumeId),
    );
    const repair = this.#last.then(() => this.#repair(writer, { ...tx, components }, snapshots, limitMs));
    this.#last = repair.catch(() => null);
    return repair;
  }

  async #repair(
    writer: Session<"writer">,
    tx: WriterTransaction,
    sealed: readonly SealedSnapshot[],
    limitMs: number,
  ): Promise<Repair> {
    if (!writer.offers("repair")) return passedOver(`${writer.who.plugin} repairs nothing`);
    const onlyForks = tx.components.some(({ repair }) => repair === "fork");
    const writable: SealedSnapshot[] = [];
    for (const one of sealed) {
      if (isCreating(one.snapshot)) return passedOver(`${one.who.instance} has not finished its snapshot`);
      const found = this.#writable.get(one.snapshot.id) ?? (await this.#writableOf(one, onlyForks));
      if (typeof found === "string") return passedOver(found);
      this.#writable.set(one.snapshot.id, found);
      writable.push(found);
    }
    try {
      return await this.#unexposed(writable, await this.#repairIn(writable, writer, tx, limitMs));
    } catch (error) {
      const written = writable.map(({ snapshot }) => snapshot.id);
      this.#failed.set(writer.who.instance, { state: "failed", in: written, reason: toFault(error).message });
      throw error;
    }
  }

  async #repairIn(
    writable: readonly SealedSnapshot[],
    writer: Session<"writer">,
    tx: WriterTransaction,
    limitMs: number,
  ): Promise<Repair> {
    try {
      const shown: Exposed[] = [];
      for (const one of writable) shown.push(await this.#expose(one));
      const { ok, reason, facts } = await writer.call("repair", [tx, mergeExposed(shown)], limitMs);
      return {
        state: ok ? "repaired" : "failed",
        in: writable.map(({ snapshot }) => snapshot.id),
        ...(reason === undefined ? {} : { reason }),
        ...(facts === undefined ? {} : { facts }),
      };
    } catch (error) {
      // The first cause is what the caller needs.
      await undoAll(writable, (one) => this.#unexpose(one)).catch(() => undefined);
      throw error;
    }
  }

  /** What was repaired stays so where its view cannot be ended: another mount namespace may have a copy of the mount for hours. */
  async #unexposed(writable: readonly SealedSnapshot[], repair: Repair): Promise<Repair> {
    try {
      await undoAll(writable, (one) => this.#unexpose(one));
      return repair;
    } catch (error) {
      if (repair.state !== "repaired") throw error;
      return { ...repair, reason: toFault(error).message };
    }
  }

  /** A fork; without forks the snapshot itself, if it is writable; otherwise the reason why there is none. */
  async #writableOf({ who, snapshot }: SealedSnapshot, onlyForks: boolean): Promise<SealedSnapshot | string> {
    const provider = await this.#provider(who);
    if (provider.offers("fork")) return this.#forkOf({ who, snapshot }, provider);
    if (onlyForks) return `${who.instance} makes no fork of a snapshot`;
    return this.#context.whyOnlyForks(snapshot.volumeId, who) ?? { who, snapshot };
  }

  /** What was cut is whole without its fork, so a provider that reports that it cannot make one takes nothing from the set. */
  async #forkOf({ who, snapshot }: SealedSnapshot, provider: Session<"provider">): Promise<SealedSnapshot | string> {
    try {
      const fork = await this.#ask(provider, "fork", [snapshot]);
      return { who, snapshot: { ...fork, of: snapshot.id } };
    } catch (error) {
      if (this.#isCancelled || !isHoldstillError(error) || error.code !== "E_PLUGIN_FAILED") throw error;
      return error.message.replace(/\.$/, "");
    }
  }

  async #expose({ who, snapshot }: SealedSnapshot): Promise<Exposed> {
    const at = this.#folderOf(snapshot);
    await this.#context.exposures.make(at);
    const exposed = await this.#ask(await this.#provider(who), "expose", [snapshot, { access: "writable", at }]);
    if (exposed.readOnly) throw new Error(`${who.instance} exposed ${snapshot.id} read-only`);
    checkExposed(exposed.trees);
    for (const device of exposed.devices ?? []) await this.#context.exposures.admitToDevice(device, "writable");
    return exposed;
  }

  async #unexpose({ who, snapshot }: SealedSnapshot): Promise<void> {
    const provider = await this.#provider(who);
    await provider.call("unexpose", [snapshot], this.#context.limits.abort);
    await this.#context.exposures.remove(this.#folderOf(snapshot));
  }

  #folderOf({ id }: Snapshot): string {
    const at = [...this.#writable.values()].findIndex(({ snapshot }) => snapshot.id === id);
    const { exposures, set } = this.#context;
    return exposures.of(set, `repair-${at}`);
  }

  async #ask<O extends Needed>(
    provider: Session<"provider">,
    op: O,
    args: ProviderArgs<O>,
  ): Promise<ProviderAnswer<O>> {
    if (this.#isCancelled) throw new Error("the transaction is being undone");
    this.#asked = provider;
    try {
      return await provider.call(op, args, this.#context.limits.seal);
    } finally {
      this.#asked = null;
    }
  }

  async #provider({ instance }: Who): Promise<Session<"provider">> {
    const session = await this.#context.workers.session(instance);
    if (isProvider(session)) return session;
    throw new Error(`${instance} is not a provider`);
  }
}

const passedOver = (reason: string): Repair => ({ state: "passed-over", in: [], reason });
