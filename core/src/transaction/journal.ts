import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { StateDir } from "../catalog/state.js";
import { syncDir } from "../catalog/state.js";
import type { Who } from "../errors/details.js";
import type { Component, Cut, Fault, FreezeToken } from "../schema/types.js";
import { flockExclusive } from "../system/libc.js";
import type { Op } from "./machine.js";

/** A plugin that takes part, with all that an abort in a blank worker needs to know. */
export interface Enlisted {
  who: Who;
  /** Of a writer. */
  components?: readonly Component[];
}

/** One line of a journal: written, and on disk, before the action that it announces. */
export type Entry =
  | {
      entry: "begun";
      version: 1;
      id: string;
      pid: number;
      at: string;
      cut: Cut;
      targets: readonly string[];
      enlisted: Enlisted[];
    }
  | { entry: "asked"; actor: string; op: Op }
  | { entry: "answered"; actor: string; op: Op; token?: FreezeToken; fault?: Fault }
  | { entry: "ended"; outcome: "created" | "aborted"; residue: { actor: string; fault: Fault }[] };

/**
 * A transaction's journal: JSON lines, each fsynced. Its process holds a flock(2) on the file for as long as it lives, so that
 * recovery can tell a transaction that is under way from one whose process died.
 */
export class Journal {
  readonly #fd: number;
  /** Whether the last line may have been cut short, by a crash or a full disk: nothing may be added to that line. */
  #torn: boolean;

  private constructor(fd: number) {
    this.#fd = fd;
    this.#torn = fstatSync(fd).size > 0;
  }

  /** Opens, or creates, a transaction's journal; null when another process is working on it. */
  static open(state: StateDir, id: string): Journal | null {
    const fd = openSync(path.join(state.transactions, `${id}.jsonl`), "a", 0o600);
    if (flockExclusive(fd)) {
      syncDir(state.transactions);
      return new Journal(fd);
    }
    closeSync(fd);
    return null;
  }

  /** Whether a process works on the transaction now. */
  static isHeld(state: StateDir, id: string): boolean {
    const file = path.join(state.transactions, `${id}.jsonl`);
    if (!existsSync(file)) return false;
    const fd = openSync(file, "r");
    try {
      return !flockExclusive(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** @throws the file system's error when the line could not be brought to disk: then the action must not happen. */
  write(entry: Entry): void {
    const line = `${this.#torn ? "\n" : ""}${JSON.stringify(entry)}\n`;
    this.#torn = true;
    writeFileSync(this.#fd, line);
    this.#torn = false;
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** What a journal says of its transaction. */
export interface Account {
  id: string;
  begun: Extract<Entry, { entry: "begun" }>;
  ended: Extract<Entry, { entry: "ended" }> | null;
  /** Whom abort is still owed, with the freeze token where one was answered. */
  owed: { enlisted: Enlisted; token: FreezeToken | null }[];
}

/** Every journal in the state directory, oldest first. A line that a crash cut short is ignored: its action did not happen. */
export function readJournals(state: StateDir): Account[] {
  return readdirSync(state.transactions)
    .filter((file) => file.endsWith(".jsonl"))
    .toSorted()
    .flatMap((file) => readAccount(path.join(state.transactions, file)) ?? []);
}

function readAccount(file: string): Account | null {
  const entries = readFileSync(file, "utf8").split("\n").flatMap(parse);
  const begun = entries.find((entry) => entry.entry === "begun");
  if (begun === undefined) return null;
  const ended = entries.findLast((entry) => entry.entry === "ended") ?? null;
  const owed = begun.enlisted
    .filter(({ who }) => owesAbort(entries, who.instance, ended))
    .map((enlisted) => ({ enlisted, token: tokenOf(entries, enlisted.who.instance) }));
  return { id: begun.id, begun, ended, owed };
}

function owesAbort(entries: readonly Entry[], actor: string, ended: Account["ended"]): boolean {
  if (ended !== null) return ended.residue.some((left) => left.actor === actor);
  const asked = entries.some((entry) => entry.entry === "asked" && entry.actor === actor);
  const undone = entries.some(
    (entry) => entry.entry === "answered" && entry.actor === actor && entry.op === "abort" && entry.fault === undefined,
  );
  return asked && !undone;
}

function tokenOf(entries: readonly Entry[], actor: string): FreezeToken | null {
  const frozen = entries.findLast(
    (entry) => entry.entry === "answered" && entry.actor === actor && entry.op === "freeze",
  );
  return (frozen?.entry === "answered" ? frozen.token : undefined) ?? null;
}

function parse(line: string): Entry[] {
  try {
    return [JSON.parse(line) as Entry];
  } catch {
    return [];
  }
}
