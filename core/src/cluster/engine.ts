/**
 * What a set of several hosts needs of the engine that stores its keys: transactions that compare revisions, and watches without a
 * gap. etcd is one (etcd/etcd-engine.ts); tests have another in memory.
 */

/** A key as it is now. Revisions number all changes of the engine: a later change has a higher one. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Of its last change. */
  readonly revision: number;
}

/** A key was written, or deleted: then the value is null. */
export type Change = Omit<Entry, "value"> & { readonly value: string | null };

/** The key still has this revision. 0: it does not exist. */
export interface Condition {
  readonly key: string;
  readonly revision: number;
}

export type Write = { type: "put"; key: string; value: string } | { type: "delete"; key: string };

/** All or nothing: the writes, if every condition holds, else the keys are read. */
export interface KeyTransaction {
  readonly when: readonly Condition[];
  readonly write: readonly Write[];
  readonly otherwiseRead: readonly string[];
}

export interface KeyAnswer {
  readonly type: "done" | "refused";
  readonly revision: number;
  /** Identifies the engine. */
  readonly clusterId: string;
  /** What exists of the keys that were to be read. Empty if it is done. */
  readonly found: readonly Entry[];
}

export interface KeyWatch {
  /** Resolves when no later change can be missed. */
  readonly ready: Promise<void>;
  /** The caller waits for longer than it should: another way may be quicker. */
  doubt(): void;
  close(): void;
}

export interface ClusterEngine {
  /**
   * Sent again, also to other members, until it is answered: its conditions must exclude that it happens twice.
   *
   * @throws HoldstillError E_CLUSTER_UNREACHABLE after `limitMs`: it may happen yet; E_CLUSTER_DENIED
   */
  transact(transaction: KeyTransaction, limitMs: number): Promise<KeyAnswer>;
  /** Everything below the prefix. @throws HoldstillError E_CLUSTER_UNREACHABLE, E_CLUSTER_DENIED */
  read(prefix: string, limitMs: number): Promise<{ entries: Entry[]; revision: number }>;
  /** Each change below the prefix once, in order for each key. @param from The first revision; null: from now on. */
  watch(prefix: string, from: number | null, onChange: (change: Change) => void): KeyWatch;
  close(): void;
}
