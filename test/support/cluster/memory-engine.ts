import type { Change, ClusterEngine, Entry, KeyTransaction, KeyAnswer, KeyWatch } from "#core/cluster/engine.js";
import { HoldstillError } from "#core/base/errors/error.js";

/** All keys, with every change since the beginning. */
export class MemoryStore {
  readonly changes: Change[] = [];
  readonly #entries = new Map<string, Entry>();
  readonly #watches = new Set<(change: Change) => void>();

  get revision(): number {
    return this.changes.length + 1;
  }

  apply({ when, write, otherwiseRead }: KeyTransaction): KeyAnswer {
    const clusterId = "memory";
    const holds = when.every(({ key, revision }) => (this.#entries.get(key)?.revision ?? 0) === revision);
    if (!holds) {
      const found = otherwiseRead.flatMap((key) => this.#entries.get(key) ?? []);
      return { type: "refused", revision: this.revision, clusterId, found };
    }
    for (const one of write) this.#change(one.key, one.type === "put" ? one.value : null);
    return { type: "done", revision: this.revision, clusterId, found: [] };
  }

  below(prefix: string): Entry[] {
    return [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
  }

  watch(onChange: (change: Change) => void): () => void {
    this.#watches.add(onChange);
    return () => this.#watches.delete(onChange);
  }

  #change(key: string, value: string | null): void {
    if (value === null && !this.#entries.delete(key)) return;
    const revision = this.revision + 1;
    const change = { key, value, revision };
    if (value !== null) this.#entries.set(key, { key, value, revision });
    this.changes.push(change);
    for (const tell of this.#watches) tell(change);
  }
}

/** How one client's messages travel. */
export interface Travel {
  /** Before the engine has it, and before the client has the answer: resolves later, or never. */
  wait(): Promise<void>;
}

/** One client's view of the store: its messages travel as they like, those of one watch in order. */
export class MemoryEngine implements ClusterEngine {
  readonly #store: MemoryStore;
  readonly #travel: Travel;
  readonly #watches = new Set<KeyWatch>();
  /** The process of this client has died: nothing leaves it, and nothing arrives. */
  isDead = false;

  constructor(store: MemoryStore, travel: Travel) {
    this.#store = store;
    this.#travel = travel;
  }

  async transact(transaction: KeyTransaction, limitMs: number): Promise<KeyAnswer> {
    if (this.isDead) return new Promise(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new HoldstillError("E_CLUSTER_UNREACHABLE", { endpoints: ["memory"], reason: "too late" });
      timer = setTimeout(() => reject(error), limitMs);
    });
    const answer = async (): Promise<KeyAnswer> => {
      await this.#travel.wait();
      // What was sent before a process died may arrive after it.
      const result = this.#store.apply(transaction);
      await this.#travel.wait();
      if (this.isDead) await new Promise(() => undefined);
      return result;
    };
    return Promise.race([answer(), late]).finally(() => clearTimeout(timer));
  }

  async read(prefix: string): Promise<{ entries: Entry[]; revision: number }> {
    await this.#travel.wait();
    return { entries: this.#store.below(prefix), revision: this.#store.revision };
  }

  watch(prefix: string, from: number | null, onChange: (change: Change) => void): KeyWatch {
    let last = Promise.resolve();
    const tell = (change: Change): void => {
      if (!change.key.startsWith(prefix)) return;
      last = last
        .then(() => this.#travel.wait())
        .then(() => {
          if (!this.isDead) onChange(change);
        });
    };
    const start = from ?? this.#store.revision + 1;
    for (const change of this.#store.changes) if (change.revision >= start) tell(change);
    const close = this.#store.watch(tell);
    const watch: KeyWatch = { ready: Promise.resolve(), doubt: () => undefined, close };
    this.#watches.add(watch);
    return watch;
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
  }
}
