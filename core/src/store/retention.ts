import type { SnapshotSet } from "../base/schema/types.js";

/** Periods of which the newest set each is kept. */
const periods = { hourly: hourOf, daily: dayOf, weekly: weekOf, monthly: monthOf, yearly: yearOf } as const;
export type Period = keyof typeof periods;

/** Which sets stay: a set stays as soon as one rule wants it. */
export interface Retention {
  /** The newest sets, whatever their age. */
  last?: number;
  /** How many periods of each kind that have a set. */
  periods?: { readonly [P in Period]?: number };
  /** What is not older than this before the newest set, ms. */
  withinMs?: number;
}

export interface RetentionVerdict {
  set: SnapshotSet;
  /** Which rules keep it; none: it may go. */
  kept: string[];
}

/**
 * Applies the rules to the sets of each group of targets on its own, as restic's `forget` does: a nightly set of one application
 * must not be taken for a newer one of another. Hours, days and weeks are those of this machine's time zone; weeks begin on
 * Monday. Oldest first.
 */
export function judgeRetention(sets: readonly SnapshotSet[], retention: Retention, now: Date): RetentionVerdict[] {
  const verdicts = sets
    .map((set): RetentionVerdict => ({ set, kept: inUse(set, now) }))
    .toSorted((a, b) => (a.set.createdAt < b.set.createdAt ? -1 : 1));
  const groups = new Map<string, RetentionVerdict[]>();
  for (const verdict of verdicts) {
    const targets = JSON.stringify(verdict.set.targets.toSorted());
    const group = groups.get(targets);
    if (group === undefined) groups.set(targets, [verdict]);
    else group.push(verdict);
  }
  for (const group of groups.values()) apply(group.toReversed(), retention);
  return verdicts;
}

/** What no rule removes: a set that is retained, exposed, or leased. */
function inUse(set: SnapshotSet, now: Date): string[] {
  return [
    ...(isRetained(set, now) ? [`held until ${set.retainUntil}`] : []),
    ...((set.exposed ?? []).length > 0 ? ["exposed"] : []),
    ...(set.lease === undefined ? [] : ["leased"]),
  ];
}

export const isRetained = ({ retainUntil }: SnapshotSet, now: Date): boolean =>
  retainUntil !== undefined && Date.parse(retainUntil) > now.getTime();

/** @param group Newest first. */
function apply(group: readonly RetentionVerdict[], { last = 0, periods: wanted = {}, withinMs }: Retention): void {
  for (const verdict of group.slice(0, last)) verdict.kept.push("last");
  for (const period of Object.keys(periods) as Period[]) {
    let left = wanted[period] ?? 0;
    let before: string | null = null;
    for (const { set, kept } of group) {
      const name = periods[period](new Date(set.createdAt));
      if (left === 0) break;
      if (name === before) continue;
      before = name;
      left -= 1;
      kept.push(`${period} ${name}`);
    }
  }
  const newest = group[0];
  if (withinMs === undefined || newest === undefined) return;
  const from = Date.parse(newest.set.createdAt) - withinMs;
  for (const { set, kept } of group) if (Date.parse(set.createdAt) >= from) kept.push("within");
}

const two = (n: number): string => String(n).padStart(2, "0");

function yearOf(date: Date): string {
  return String(date.getFullYear());
}

function monthOf(date: Date): string {
  return `${yearOf(date)}-${two(date.getMonth() + 1)}`;
}

function dayOf(date: Date): string {
  return `${monthOf(date)}-${two(date.getDate())}`;
}

function hourOf(date: Date): string {
  return `${dayOf(date)} ${two(date.getHours())}h`;
}

/** The day of its Monday. */
function weekOf(date: Date): string {
  const sinceMonday = (date.getDay() + 6) % 7;
  return dayOf(new Date(date.getFullYear(), date.getMonth(), date.getDate() - sinceMonday));
}
