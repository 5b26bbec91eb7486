/** What journals tell of their transactions. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import type {
  BegunEntry,
  EndedEntry,
  Enlisted,
  Finding,
  FreezeToken,
  JournalEntry,
  SnapshotSet,
} from "../base/schema/types.js";
import { HoldstillError } from "../base/errors/error.js";
import { shorten } from "../base/schema/findings.js";
import { isNewer, validateOpenly } from "../base/schema/validate.js";
import { ifThere, Journal, journalFile } from "./journal.js";
import { asStateError, type StateDir } from "./state-directory.js";

/** What a journal records of its transaction. */
export interface JournalAccount {
  id: string;
  begun: BegunEntry;
  ended: EndedEntry | null;
  /** The record of a set of several hosts for which this one has voted; null: it has not. */
  voted: SnapshotSet | null;
  /** The plugins that still need an abort, with the freeze token where one was returned. */
  owed: { enlisted: Enlisted; token: FreezeToken | null }[];
}

/** A journal whose first line this version cannot read: what its transaction did, and with whom, is not known. */
export interface UnreadableJournal {
  id: string;
  file: string;
  /** `newer`: a later version of holdstill wrote it. */
  state: "newer" | "damaged";
  findings: Finding[];
}

/** The journal that cannot be read, as an error. */
export function unreadableJournal({ id, file, state, findings }: UnreadableJournal): HoldstillError {
  if (state === "newer") return new HoldstillError("E_TOO_NEW", { file, findings });
  return new HoldstillError("E_JOURNAL_DAMAGED", { id, file, findings });
}

/**
 * Whether the set of that id has its record, which is the transaction's commit point: from then on abort is owed only to those that
 * were already being undone.
 */
export type IsRecorded = (id: string) => boolean;

/** Every journal in the state directory, oldest first. */
export function readJournals(
  state: StateDir,
  isRecorded: IsRecorded,
): { accounts: JournalAccount[]; unreadable: UnreadableJournal[] } {
  const accounts: JournalAccount[] = [];
  const unreadable: UnreadableJournal[] = [];
  for (const id of journalIds(state)) {
    const read = readJournal(state, id, isRecorded);
    if (read === null) continue;
    if ("findings" in read) unreadable.push(read);
    else accounts.push(read);
  }
  return { accounts, unreadable };
}

function journalIds(state: StateDir): string[] {
  if (!existsSync(state.transactions)) return [];
  const files = asStateError(state, () => readdirSync(state.transactions));
  const suffix = ".jsonl";
  return files.flatMap((file) => (file.endsWith(suffix) ? [file.slice(0, -suffix.length)] : [])).toSorted();
}

/**
 * One journal. null: it is gone, or its transaction died before its first line was on disk, and so before anything was done.
 *
 * If a line cannot be read, it may be about any of the plugins. So abort, which may be called at any time, is owed to all of them,
 * unless the set has its record.
 */
export function readJournal(
  state: StateDir,
  id: string,
  isRecorded: IsRecorded,
): JournalAccount | UnreadableJournal | null {
  const file = journalFile(state, id);
  const lines = linesOf(file);
  const [first] = lines;
  if (first === undefined) return null;
  if ("findings" in first) return { id, file, ...first };
  if (first.entry !== "begun" || first.id !== id) {
    const seen = first.entry === "begun" ? `the journal of ${first.id}` : `the entry ${first.entry}`;
    const findings = [{ file, line: 1, pointer: "", seen, expected: `the beginning of transaction ${id}` }];
    return { id, file, state: "damaged", findings };
  }
  const entries = lines.flatMap((line) => ("findings" in line ? [] : [line]));
  const isWhole = entries.length === lines.length && entries.every((entry) => isAbout(entry, first));
  const ended = endOf(lines);
  const asking: Asking = isRecorded(id) ? "abort" : isWhole ? "any call" : "in doubt";
  const owed = first.enlisted
    .filter(({ who }) => owesAbort(entries, who.instance, ended, asking))
    .map((enlisted) => ({ enlisted, token: tokenOf(entries, enlisted.who.instance) }));
  const voted = entries.flatMap((entry) => (entry.entry === "voted" ? [entry.set] : [])).at(-1) ?? null;
  return { id, begun: first, ended, voted, owed };
}

type UnreadableLine = Pick<UnreadableJournal, "state" | "findings">;

/** The lines. A crash may have cut the last one short: only the first one then tells that nothing was done. */
function linesOf(file: string): (JournalEntry | UnreadableLine)[] {
  try {
    const lines = (ifThere(() => readFileSync(file, "utf8")) ?? "").split("\n");
    const cutShort = lines.pop();
    const read = lines.map((line, at) => parse(line, file, at + 1));
    const isLeft = read.length > 0 && cutShort !== undefined && cutShort !== "";
    return isLeft ? [...read, damaged(cutShort, file, lines.length + 1)] : read;
  } catch (error) {
    return [damaged(String(error), file, 1)];
  }
}

function parse(text: string, file: string, line: number): JournalEntry | UnreadableLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return damaged(text, file, line);
  }
  const checked = validateOpenly("journal", value, { file, lineOf: () => line });
  if (checked.ok) return checked.value;
  return { state: isNewer(value, "version") ? "newer" : "damaged", findings: checked.findings };
}

const damaged = (seen: string, file: string, line: number): UnreadableLine => ({
  state: "damaged",
  findings: [{ file, line, pointer: "", seen: shorten(seen), expected: "a line of JSON, as holdstill writes it" }],
});

/** Whether an entry names only what takes part in the transaction. */
function isAbout(entry: JournalEntry, { enlisted }: BegunEntry): boolean {
  const isKnown = (actor: string): boolean => actor === "keeper" || enlisted.some(({ who }) => who.instance === actor);
  switch (entry.entry) {
    case "begun":
    case "voted":
      return true;
    case "asked":
    case "answered":
      return isKnown(entry.actor);
    case "ended":
      return entry.residue.every(({ actor }) => isKnown(actor));
  }
}

/** The end that is the last thing known. What cannot be read behind it may have begun something. */
function endOf(lines: readonly (JournalEntry | UnreadableLine)[]): EndedEntry | null {
  const at = lines.findLastIndex((line) => "entry" in line && line.entry === "ended");
  const last = lines[at];
  if (last === undefined || "findings" in last || last.entry !== "ended") return null;
  return lines.slice(at).every((line) => "entry" in line) ? last : null;
}

/** The calls after which an abort is due. `in doubt`: whether a plugin was called is not known. */
type Asking = "abort" | "any call" | "in doubt";

function owesAbort(entries: readonly JournalEntry[], actor: string, ended: EndedEntry | null, asking: Asking): boolean {
  if (ended !== null) return ended.residue.some((left) => left.actor === actor);
  const asked =
    asking === "in doubt" ||
    entries.some(
      (entry) => entry.entry === "asked" && entry.actor === actor && (asking === "any call" || entry.op === asking),
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

/** For how long a transaction that was undone is known, ms: a snapshot of it that turns up meanwhile is known to be ours. */
const KNOWN_FOR_MS = 30 * 24 * 3_600_000;

/** Removes the journals of transactions that were undone completely, long ago. The history still reports them. */
export function forgetUndone(state: StateDir, isRecorded: IsRecorded): void {
  const until = Date.now() - KNOWN_FOR_MS;
  for (const id of journalIds(state)) {
    if (isRecorded(id)) continue;
    const { mtimeMs } = ifThere(() => statSync(journalFile(state, id))) ?? { mtimeMs: Infinity };
    if (mtimeMs > until) continue;
    const read = readJournal(state, id, isRecorded);
    if (read === null || "findings" in read) continue;
    if (read.ended?.outcome === "aborted" && read.ended.residue.length === 0) Journal.forget(state, id);
  }
}
