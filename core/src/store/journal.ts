import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { type StateDir, syncDir, asStateError } from "./state-directory.js";
import type { BegunEntry, EndedEntry, Enlisted, FreezeToken, JournalEntry } from "../base/schema/types.js";
import { validate } from "../base/schema/validate.js";
import { flockExclusive, flockShared } from "../os/libc.js";
import { WriteGate } from "./write-gate.js";

/**
 * A transaction's journal: JSON lines, each fsynced. Its process holds a flock(2) on the file for as long as it lives, so that
 * recovery can tell a transaction that is under way from one whose process died.
 */
export class Journal {
  readonly #fd: number;
  readonly #gate: WriteGate;
  /** Whether the last line may have been cut short, by a crash or a full disk: nothing may be added to that line. */
  #torn: boolean;
  /** Lines that wait until this transaction releases its holds; null: lines are written at once. */
  #kept: JournalEntry[] | null = null;

  private constructor(fd: number, gate: WriteGate) {
    this.#fd = fd;
    this.#gate = gate;
    this.#torn = fstatSync(fd).size > 0;
  }

  /** Opens, or creates, a transaction's journal; null when another process is working on it. @throws HoldstillError E_STATE_DIR */
  static open(state: StateDir, id: string, gate = new WriteGate()): Journal | null {
    const fd = asStateError(state, () => openSync(path.join(state.transactions, `${id}.jsonl`), "a", 0o600));
    if (isOurs(fd)) {
      syncDir(state.transactions);
      return new Journal(fd, gate);
    }
    closeSync(fd);
    return null;
  }

  /** Whether a process works on the transaction now. */
  static isHeld(state: StateDir, id: string): boolean {
    const fd = ifThere(() => openSync(path.join(state.transactions, `${id}.jsonl`), "r"));
    if (fd === null) return false;
    try {
      return !flockShared(fd);
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
    const open = this.#kept === null ? this.#gate.pass() : null;
    if (open !== null) await open;
    // This transaction's hold may have begun while the line waited for that of another one.
    if (this.#kept === null) this.#append(entry);
    else this.#kept.push(entry);
  }

  /** This transaction is about to hold volumes. From now on lines are kept in memory: the journal may lie on a held volume. */
  suspend(): void {
    this.#kept ??= [];
  }

  /** The hold is over: writes what was kept. @throws the file system's error */
  async resume(): Promise<void> {
    await this.#gate.pass();
    const kept = this.#kept ?? [];
    this.#kept = null;
    for (const entry of kept) this.#append(entry);
  }

  get isEmpty(): boolean {
    return fstatSync(this.#fd).size === 0;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Removes the journal of a set that is gone: there is nothing to recover. */
  static forget(state: StateDir, id: string): void {
    rmSync(path.join(state.transactions, `${id}.jsonl`), { force: true });
  }

  #append(entry: JournalEntry): void {
    const line = `${this.#torn ? "\n" : ""}${JSON.stringify(entry)}\n`;
    this.#torn = true;
    writeFileSync(this.#fd, line);
    this.#torn = false;
    fsyncSync(this.#fd);
  }
}

/** How long a process that only looks may be in the way, ms: some microseconds, unless it is stopped just then. */
const patience = 1000;

/** Takes the lock. A process that only looks shares it for a moment, and must not be taken for one that works on the transaction. */
function isOurs(fd: number): boolean {
  const until = performance.now() + patience;
  while (!flockExclusive(fd)) {
    if (!flockShared(fd) || performance.now() > until) return false;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
  return true;
}

/** null: another process removed the file meanwhile. */
function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** For how long a transaction that was undone is known, ms: a snapshot of it that turns up meanwhile is known to be ours. */
const KNOWN_FOR_MS = 30 * 24 * 3_600_000;

/** Removes the journals of transactions that were undone completely, long ago. The history still reports them. */
export function forgetUndone(state: StateDir, isRecorded: (id: string) => boolean): void {
  for (const file of readdirSync(state.transactions)) {
    const journal = path.join(state.transactions, file);
    const { mtimeMs } = ifThere(() => statSync(journal)) ?? { mtimeMs: Infinity };
    if (!file.endsWith(".jsonl") || mtimeMs > Date.now() - KNOWN_FOR_MS) continue;
    const account = readAccount(journal, isRecorded);
    if (account?.ended?.outcome === "aborted" && account.ended.residue.length === 0 && !isRecorded(account.id))
      Journal.forget(state, account.id);
  }
}

/** What a journal records of its transaction. */
export interface JournalAccount {
  id: string;
  begun: BegunEntry;
  ended: EndedEntry | null;
  /** The plugins that still need an abort, with the freeze token where one was returned. */
  owed: { enlisted: Enlisted; token: FreezeToken | null }[];
}

/**
 * Every journal in the state directory, oldest first. Skips lines that are not valid, such as one that a crash cut short.
 *
 * @param isRecorded Whether the set of that id has its record, which is the transaction's commit point: from then on abort is
 * owed only to those that were already being undone.
 */
export function readJournals(state: StateDir, isRecorded: (id: string) => boolean): JournalAccount[] {
  if (!existsSync(state.transactions)) return [];
  return readdirSync(state.transactions)
    .filter((file) => file.endsWith(".jsonl"))
    .toSorted()
    .flatMap((file) => readAccount(path.join(state.transactions, file), isRecorded) ?? []);
}

/** null: it has no beginning, or one that belongs to another transaction, or is gone. */
function readAccount(file: string, isRecorded: (id: string) => boolean): JournalAccount | null {
  const text = ifThere(() => readFileSync(file, "utf8")) ?? "";
  const entries = text.split("\n").flatMap((line) => parse(line, file));
  const begun = entries.find((entry) => entry.entry === "begun");
  if (begun?.id !== path.basename(file, ".jsonl")) return null;
  const ended = entries.findLast((entry) => entry.entry === "ended") ?? null;
  const from = isRecorded(begun.id) ? ["abort"] : null;
  const owed = begun.enlisted
    .filter(({ who }) => owesAbort(entries, who.instance, ended, from))
    .map((enlisted) => ({ enlisted, token: tokenOf(entries, enlisted.who.instance) }));
  return { id: begun.id, begun, ended, owed };
}

/** @param asking The calls that make an abort due; null: any. */
function owesAbort(
  entries: readonly JournalEntry[],
  actor: string,
  ended: JournalAccount["ended"],
  asking: readonly string[] | null,
): boolean {
  if (ended !== null) return ended.residue.some((left) => left.actor === actor);
  const asked = entries.some(
    (entry) => entry.entry === "asked" && entry.actor === actor && (asking?.includes(entry.op) ?? true),
  );
  const undone = entries.some(
    (entry) => entry.entry === "answered" && entry.actor === actor && entry.op === "abort" && entry.fault === undefined,
  );
  return asked && !undone;
}

function tokenOf(entries: readonly JournalEntry[], actor: string): FreezeToken | null {
  const frozen = entries.findLast(
    (entry) => entry.entry === "answered" && entry.actor === actor && entry.op === "freeze",
  );
  return (frozen?.entry === "answered" ? frozen.token : undefined) ?? null;
}

function parse(line: string, file: string): JournalEntry[] {
  try {
    const checked = validate("journal", JSON.parse(line), file);
    return checked.ok ? [checked.value] : [];
  } catch {
    return [];
  }
}
