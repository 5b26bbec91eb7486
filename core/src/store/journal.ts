import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setImmediate as endOfTurn } from "node:timers/promises";
import { type StateDir, syncDir, asStateError } from "./state-directory.js";
import type { JournalEntry } from "../base/schema/types.js";
import { flockExclusive, flockShared } from "../os/libc.js";
import { WriteGate } from "./write-gate.js";

/**
 * A transaction's journal: JSON lines, each on disk before the action that it announces. Lines of one turn of the event loop, such as
 * the answers of many writers to freeze, share a write and an fsync. Its process holds a flock(2) on the file for as long as it lives, so that
 * recovery can tell a transaction that is under way from one whose process died.
 */
export class Journal {
  readonly #fd: number;
  readonly #gate: WriteGate;
  /** Bytes of whole lines. What a crash or a full disk left behind them is cut off before the next line is written. */
  #whole: number;
  /** Lines that wait until this transaction releases its holds; null: lines are written at once. */
  #kept: JournalEntry[] | null = null;
  /** Lines of this turn of the event loop, and what resolves when they are written. */
  #turn: { readonly entries: JournalEntry[]; readonly written: Promise<void> } | null = null;

  private constructor(fd: number, whole: number, gate: WriteGate) {
    this.#fd = fd;
    this.#whole = whole;
    this.#gate = gate;
  }

  /** Opens, or creates, a transaction's journal; null when another process is working on it. @throws HoldstillError E_STATE_DIR */
  static open(state: StateDir, id: string, gate = new WriteGate()): Journal | null {
    const fd = asStateError(state, () => openSync(journalFile(state, id), "a+", 0o600));
    try {
      if (isOurs(fd)) {
        syncDir(state.transactions);
        return new Journal(fd, asStateError(state, () => readFileSync(fd)).lastIndexOf("\n") + 1, gate);
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return null;
  }

  /**
   * Whether a process works on the transaction now.
   *
   * @param pid The process that began it. If that is dead, a child of it may have the lock between fork(2) and execve(2), which closes the
   * file, and is waited for.
   */
  static isHeld(state: StateDir, id: string, pid?: number): boolean {
    const fd = ifThere(() => openSync(journalFile(state, id), "r"));
    if (fd === null) return false;
    const until = performance.now() + patience;
    try {
      while (!flockShared(fd)) {
        if (pid === undefined || isAlive(pid) || performance.now() > until) return true;
        pause();
      }
      return false;
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Resolves when the line is on disk, or is kept for `resume`.
   *
   * @throws the file system's error when the line could not be brought to disk: then the action must not happen.
   */
  async write(entry: JournalEntry): Promise<void> {
    if (this.#kept !== null) this.#kept.push(entry);
    else await this.#thisTurn(entry);
  }

  /** This transaction is about to hold volumes. From now on lines are kept in memory: the journal may lie on a held volume. */
  suspend(): void {
    this.#kept ??= this.#turn?.entries ?? [];
    this.#turn = null;
  }

  /** The hold is over: writes what was kept. @throws the file system's error */
  async resume(): Promise<void> {
    await this.#gate.pass();
    const kept = this.#kept ?? [];
    this.#kept = null;
    if (kept.length > 0) this.#append(kept);
  }

  get isEmpty(): boolean {
    return fstatSync(this.#fd).size === 0;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Removes the journal of a set that is gone: there is nothing to recover. */
  static forget(state: StateDir, id: string): void {
    rmSync(journalFile(state, id), { force: true });
  }

  #thisTurn(entry: JournalEntry): Promise<void> {
    if (this.#turn === null) {
      const entries: JournalEntry[] = [];
      this.#turn = { entries, written: this.#afterThisTurn(entries) };
    }
    this.#turn.entries.push(entry);
    return this.#turn.written;
  }

  async #afterThisTurn(entries: readonly JournalEntry[]): Promise<void> {
    await endOfTurn();
    const open = this.#kept === null ? this.#gate.pass() : null;
    if (open !== null) await open;
    if (this.#turn?.entries !== entries) return;
    this.#turn = null;
    this.#append(entries);
  }

  #append(entries: readonly JournalEntry[]): void {
    const lines = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    if (fstatSync(this.#fd).size !== this.#whole) ftruncateSync(this.#fd, this.#whole);
    writeFileSync(this.#fd, lines);
    fsyncSync(this.#fd);
    this.#whole += lines.length;
  }
}

/** The file of a transaction's journal. */
export const journalFile = (state: StateDir, id: string): string => path.join(state.transactions, `${id}.jsonl`);

/** How long a process may be in the way that only looks, or is about to start a program, ms: some microseconds, unless it is stopped just then. */
const patience = 1000;

const pause = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Takes the lock. A process that only looks shares it for a moment, and must not be taken for one that works on the transaction. */
function isOurs(fd: number): boolean {
  const until = performance.now() + patience;
  while (!flockExclusive(fd)) {
    if (!flockShared(fd) || performance.now() > until) return false;
    pause();
  }
  return true;
}

/** null: another process removed the file meanwhile. */
export function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
