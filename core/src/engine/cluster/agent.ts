/** This host in a cluster: it takes part in the sets that others ask for, as far as its config allows. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterSettings } from "../../base/config/cluster-settings.js";
import { toFault } from "../../base/errors/error.js";
import type { ClusterPlan, HostPresence } from "../../base/schema/types.js";
import { readSet, settleLeft } from "../../cluster/fate.js";
import { type ClusterAccess, clusterProtocol, openCluster } from "../../cluster/open.js";
import { valueOf } from "../../cluster/set-view.js";
import { ownVersion } from "../../installation.js";
import type { EngineContext } from "../types.js";
import { takePart } from "./participant.js";

/** The presence of a host that has died is gone after this time, or later, s. */
const PRESENCE_S = 15;
const CALL_MS = 5000;

export interface Agent {
  /** How many sets this host takes part in now. */
  readonly size: number;
  /** Gives up what is under way, and resolves when that is undone. */
  close(reason: Error): Promise<void>;
}

/** Reads the certificates, and connects. While etcd cannot be reached, it tries again. @throws HoldstillError E_CLUSTER_REFUSED */
export function startAgent(context: EngineContext, settings: ClusterSettings): Agent {
  return new ClusterAgent(context, settings, openCluster(settings));
}

class ClusterAgent implements Agent {
  readonly #context: EngineContext;
  readonly #settings: ClusterSettings;
  readonly #access: ClusterAccess;
  readonly #ending = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #watch: { close(): void };
  /** CLOCK_MONOTONIC, ms: until then this host takes part in no set. */
  #pausedUntil = 0;

  constructor(context: EngineContext, settings: ClusterSettings, access: ClusterAccess) {
    this.#context = context;
    this.#settings = settings;
    this.#access = access;
    const { engine, keys } = access;
    this.#watch = engine.watch(`${keys.prefix}plan/`, null, ({ key: text, value, revision }) => {
      const key = keys.parse(text);
      if (key?.type !== "plan") return;
      if (value !== null) this.#begin(key.set, value, revision);
      else if (!this.#running.has(key.set)) void this.#forget(key.set);
    });
    void this.#announce();
    void this.#catchUp();
  }

  get size(): number {
    return this.#running.size;
  }

  async close(reason: Error): Promise<void> {
    this.#ending.abort(reason);
    this.#watch.close();
    await Promise.all(this.#running.values());
    this.#access.engine.close();
  }

  #begin(set: string, value: string, revision: number): void {
    const plan = valueOf(value);
    const { self } = this.#access;
    if (plan?.key !== "plan" || this.#running.has(set) || this.#ending.signal.aborted) return;
    if (!plan.hosts.some(({ host }) => host === self)) return;
    const work = this.#take(set, plan, revision).finally(() => this.#running.delete(set));
    this.#running.set(set, work);
  }

  async #take(set: string, plan: ClusterPlan, from: number): Promise<void> {
    const { log } = this.#context;
    try {
      const outcome = await takePart(this.#context, this.#settings, {
        access: this.#access,
        set,
        plan,
        from,
        pausedMs: Math.max(0, this.#pausedUntil - performance.now()),
        signal: this.#ending.signal,
      });
      log?.info(`cluster set ${set}: ${outcome}`);
      if (outcome === "failed-frozen") this.#pausedUntil = performance.now() + this.#settings.limits.pause;
    } catch (error) {
      log?.error(`cluster set ${set}: ${toFault(error).message}`);
    }
    const read = await readSet(this.#access.engine, this.#access.keys, set).catch(() => undefined);
    if (read === null) await this.#forget(set);
  }

  /** The requester needs the set's keys no more. This host's own one is removed by itself, because only it may write there. */
  async #forget(set: string): Promise<void> {
    const { engine, keys, self } = this.#access;
    const key = keys.of({ type: "host", host: self, set });
    const when = [{ key: keys.of({ type: "plan", set }), revision: 0 }];
    const write = [{ type: "delete", key } as const];
    await engine.transact({ when, write, otherwiseRead: [] }, CALL_MS).catch(() => undefined);
  }

  /** Settles and removes what an earlier process has left, and takes part in plans that were written meanwhile. */
  async #catchUp(): Promise<void> {
    const { engine, keys, self } = this.#access;
    const { catalog, journals } = this.#context.store;
    const read = await engine.read(keys.prefix, CALL_MS).catch(() => null);
    for (const { key: text, value, revision } of read?.entries ?? []) {
      const key = keys.parse(text);
      if (
        key?.type === "plan" &&
        !read?.entries.some((one) => one.key === keys.of({ type: "host", host: self, set: key.set }))
      )
        this.#begin(key.set, value, revision);
      if (key?.type !== "host" || key.host !== self || this.#running.has(key.set)) continue;
      const account = journals.read(key.set);
      const isUndone = account === null || (!("findings" in account) && account.ended?.outcome === "aborted");
      const fate = catalog.has(key.set) ? "kept" : isUndone ? "undone" : null;
      if (fate !== null) await settleLeft({ engine, keys, self, set: key.set }, fate).catch(() => undefined);
      if (fate !== null && !read?.entries.some((one) => one.key === keys.of({ type: "plan", set: key.set })))
        await this.#forget(key.set);
    }
  }

  /** For people: `holdstill cluster hosts`. */
  async #announce(): Promise<void> {
    const { engine, keys, self, bootId } = this.#access;
    const { signal } = this.#ending;
    const since = new Date().toISOString();
    const holdstill = ownVersion();
    const { allow } = this.#settings;
    const value: HostPresence = { key: "presence", holdstill, protocol: clusterProtocol, bootId, allow, since };
    const key = keys.of({ type: "presence", host: self });
    while (!signal.aborted) {
      // A disk that waits for its own engine is not to be met in a hold: this waits for the gate like all else that can wait.
      await this.#context.store.gate.pass();
      await engine.announce(key, JSON.stringify(value), PRESENCE_S, CALL_MS).catch(() => undefined);
      await sleep((PRESENCE_S * 1000) / 3, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
