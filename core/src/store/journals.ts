import { HoldstillError } from "../base/errors/error.js";
import type { Catalog } from "./catalog.js";
import { Journal } from "./journal.js";
import {
  forgetUndone,
  type JournalAccount,
  readJournal,
  readJournals,
  type UnreadableJournal,
} from "./journal-account.js";
import type { StateDir } from "./state-directory.js";
import type { WriteGate } from "./write-gate.js";

/** The journals of all transactions, which are also the locks of their sets. */
export class Journals {
  readonly #state: StateDir;
  readonly #gate: WriteGate;
  readonly #catalog: Catalog;

  constructor(state: StateDir, gate: WriteGate, catalog: Catalog) {
    this.#state = state;
    this.#gate = gate;
    this.#catalog = catalog;
  }

  /** Opens, or creates, a transaction's journal. @throws HoldstillError E_SET_BUSY if another process works on it; E_STATE_DIR */
  async open(id: string): Promise<Journal> {
    const journal = await this.#gate.write(() => Journal.open(this.#state, id, this.#gate));
    if (journal === null) throw new HoldstillError("E_SET_BUSY", { set: id });
    return journal;
  }

  /** Whether a process works on the transaction, or on its set, now. */
  isHeld(id: string): boolean {
    return Journal.isHeld(this.#state, id);
  }

  /** The same of a transaction whose process is known. If that is dead, waits until what it was about to start has let go of the lock. */
  isUnderWay({ id, begun }: JournalAccount): boolean {
    return Journal.isHeld(this.#state, id, begun.pid);
  }

  /** What every journal records, oldest first. */
  list(): { accounts: JournalAccount[]; unreadable: UnreadableJournal[] } {
    return readJournals(this.#state, (id) => this.#catalog.has(id));
  }

  /** null: it is gone, or nothing was done before its process died. */
  read(id: string): JournalAccount | UnreadableJournal | null {
    return readJournal(this.#state, id, (one) => this.#catalog.has(one));
  }

  async forget(id: string): Promise<void> {
    await this.#gate.write(() => Journal.forget(this.#state, id));
  }

  /** Removes the journals of transactions that were undone completely, long ago. */
  async forgetUndone(): Promise<void> {
    await this.#gate.write(() => forgetUndone(this.#state, (id) => this.#catalog.has(id)));
  }

  /** Meanwhile no other process exposes, unexposes, restores, or deletes the set. @throws HoldstillError E_SET_BUSY */
  async withLock<T>(id: string, work: () => Promise<T>): Promise<T> {
    const lock = await this.open(id);
    try {
      return await work();
    } finally {
      await this.#gate.write(() => {
        // If another process has just deleted the set, an empty journal would be left.
        if (lock.isEmpty && !this.#catalog.has(id)) Journal.forget(this.#state, id);
        lock.close();
      });
    }
  }
}
