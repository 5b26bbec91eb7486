import { parseDuration } from "../../base/config/duration.js";
import { HoldstillError } from "../../base/errors/error.js";
import { newSetId } from "../../plan/set-id.js";
import type { Engine } from "../../engine/engine.js";
import type { KeptOperation, OperationDocument, OperationResult, SetRequest } from "../../base/schema/types.js";
import { EventRecord } from "./event-record.js";
import { fingerprintOf } from "./fingerprint.js";
import type { Leases } from "./leases.js";
import type { AreReplaced } from "../own-files.js";
import { operationEnded, refusalOf, resultOf, RunningOperation } from "./operation.js";
import type { OperationStore } from "../../store/operation-store.js";
import type { Peer } from "../http/peer.js";

/** The most ended operations whose events stay in memory. Older ones are read from disk, without events. */
const remembered = 64;

interface Dependencies {
  engine: Engine;
  leases: Leases;
  store: OperationStore;
  areReplaced: AreReplaced;
  /** The most that may be open at the same time. */
  limit: number;
}

/** The sets that the service was asked for, and the results. */
export class Operations {
  readonly #dependencies: Dependencies;
  readonly #known = new Map<string, RunningOperation>();
  readonly #running = new Set<Promise<void>>();
  /** The operation of each idempotency key; the key includes the user. */
  readonly #keys = new Map<string, { id: string; fingerprint: string }>();
  readonly #observers = new Set<(operation: RunningOperation) => void>();
  /** The request that began last; the next one waits for it, so that two requests with one key begin one operation. */
  #begun: Promise<unknown> = Promise.resolve();
  #isClosing = false;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    for (const { operation, key } of dependencies.store.newest()) {
      if (key === undefined) continue;
      const { uid } = operation.requester;
      this.#keys.set(`${uid} ${key.name}`, { id: operation.id, fingerprint: key.fingerprint });
    }
  }

  /** Number of operations that have not ended. */
  get open(): number {
    return this.#running.size;
  }

  /**
   * Begins to take a set. A key that was used before returns its operation.
   *
   * @throws HoldstillError E_KEY_REUSED, E_UNAVAILABLE, E_STATE_DIR: nothing was begun.
   */
  begin(peer: Peer, request: SetRequest, keyName: string | null): Promise<OperationDocument> {
    const begun = this.#begun.then(() => this.#begin(peer, request, keyName));
    this.#begun = begun.catch(() => undefined);
    return begun;
  }

  async #begin(peer: Peer, request: SetRequest, keyName: string | null): Promise<OperationDocument> {
    const { engine, leases, limit } = this.#dependencies;
    const key = keyName === null ? null : { name: keyName, fingerprint: fingerprintOf(request) };
    const previous = key === null ? null : this.#previous(peer, key);
    if (previous !== null) return previous;
    if (this.#isClosing) throw new HoldstillError("E_UNAVAILABLE", { reason: "it is stopping" });
    if (this.#dependencies.areReplaced())
      throw new HoldstillError("E_UNAVAILABLE", {
        reason: "its files were replaced, and it exits when its work has ended",
      });
    this.#refuseTooMany(peer);
    if (this.open >= limit) throw new HoldstillError("E_UNAVAILABLE", { reason: `${limit} operations are open` });
    const { lease: leaseFor, ...asked } = request;
    const forMs = parseDuration(leaseFor);
    const lease = forMs === undefined ? null : await leases.take();
    const operation = new RunningOperation(newSetId(), peer.mark, request);
    try {
      await this.#keep({ operation: operation.document, ...(key === null ? {} : { key }) }, engine);
    } catch (error) {
      await lease?.release();
      throw error;
    }
    const { id } = operation;
    this.#known.set(id, operation);
    if (key !== null) this.#keys.set(`${peer.mark.uid} ${key.name}`, { id, fingerprint: key.fingerprint });
    const work = engine
      .onBehalfOf(peer.mark)
      .create(
        { ...asked, id, ...(lease === null ? {} : { lease: lease.mark }) },
        { onEvent: (event) => operation.note(event), signal: operation.signal },
      )
      .then(resultOf, (error: unknown) => refusalOf(error))
      .then(async (result) => {
        if (lease !== null && forMs !== undefined) {
          if (result.set === undefined) await lease.release();
          else leases.begin(id, lease, forMs, peer.mark, operation.watchers);
        }
        await this.#end(operation, result, key);
      })
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
    for (const observe of this.#observers) observe(operation);
    return operation.document;
  }

  /** @throws HoldstillError E_OPERATION_UNKNOWN */
  find(id: string): { document: OperationDocument; running: RunningOperation | null } {
    const running = this.#known.get(id);
    if (running !== undefined) return { document: running.document, running };
    const kept = this.#dependencies.store.find(id);
    if (kept === null) throw new HoldstillError("E_OPERATION_UNKNOWN", { operation: id });
    return { document: kept.operation, running: null };
  }

  /** Of an operation that is no longer in memory, only the end is known. */
  eventsOf(id: string): EventRecord {
    const { document, running } = this.find(id);
    if (running !== null) return running.events;
    const record = new EventRecord();
    if (document.state.type === "ended") record.add(operationEnded(document.state.result));
    return record;
  }

  /** The newest operations, oldest first. */
  list(): OperationDocument[] {
    return this.#dependencies.store
      .newest(Math.max(remembered, this.#known.size))
      .map(({ operation }) => this.#known.get(operation.id)?.document ?? operation);
  }

  /** Calls `observe` with each operation that runs, and with each later one. Does not count as a reader. @returns Stops that. */
  onBegin(observe: (operation: RunningOperation) => void): () => void {
    this.#observers.add(observe);
    for (const operation of this.#known.values()) if (!operation.isOver) observe(operation);
    return () => void this.#observers.delete(observe);
  }

  /** While an operation has a reader, the lease of its set does not run. @returns Stops that. */
  watch(id: string): () => void {
    const running = this.#known.get(id);
    const { leases } = this.#dependencies;
    if (running !== undefined) running.watchers += 1;
    leases.watch(id);
    return () => {
      if (running !== undefined) running.watchers -= 1;
      leases.unwatch(id);
    };
  }

  /** Interrupts all, and waits until everything is undone. */
  async close(signal: string): Promise<void> {
    this.#isClosing = true;
    await this.#begun;
    for (const operation of this.#known.values()) if (!operation.isOver) operation.interrupt(signal);
    await Promise.all(this.#running);
  }

  /** One user other than root cannot take all places. */
  #refuseTooMany({ mark: { uid } }: Peer): void {
    const most = Math.ceil(this.#dependencies.limit / 2);
    const own = [...this.#known.values()].filter((one) => !one.isOver && one.requester.uid === uid);
    if (uid !== 0 && own.length >= most)
      throw new HoldstillError("E_UNAVAILABLE", { reason: `${most} operations of user ${uid} are open` });
  }

  #previous(peer: Peer, key: { name: string; fingerprint: string }): OperationDocument | null {
    const used = this.#keys.get(`${peer.mark.uid} ${key.name}`);
    if (used === undefined) return null;
    if (used.fingerprint !== key.fingerprint)
      throw new HoldstillError("E_KEY_REUSED", { key: key.name, operation: used.id });
    return this.find(used.id).document;
  }

  async #end(operation: RunningOperation, result: OperationResult, key: KeptOperation["key"] | null): Promise<void> {
    const { engine } = this.#dependencies;
    await engine.writable();
    operation.end(result);
    try {
      await this.#keep(
        { operation: operation.document, ...(key === null || key === undefined ? {} : { key }) },
        engine,
      );
    } catch {
      // On a full disk the result is not stored; the catalog has the set.
    }
    const ended = [...this.#known.values()].filter((one) => one.isOver);
    for (const { id } of ended.slice(0, Math.max(0, ended.length - remembered))) this.#known.delete(id);
  }

  async #keep(kept: KeptOperation, { settings }: Engine): Promise<void> {
    try {
      const forgotten = new Set(await this.#dependencies.store.keep(kept));
      for (const [name, { id }] of this.#keys) if (forgotten.has(id)) this.#keys.delete(name);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new HoldstillError("E_STATE_DIR", { path: settings.stateDir, problem }, { cause: error });
    }
  }
}
