import { HoldstillError } from "../base/errors/error.js";
import type { SnapshotSet } from "../base/schema/types.js";
import { bySequence, ownerOf } from "./owner.js";
import { doubtfulTimes } from "./doubtful-times.js";

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
  /** Why it takes no other set's place. */
  flaw: string | null;
}

/**
 * Applies the rules to the sets of each user and targets on their own, similar to restic's `forget`: a nightly set of one
 * application must not be taken for a newer one of another, nor the set of a user for one of root. A leased set does not count: it ends
 * with its lease. A flawed one takes no other set's place: the rules are also applied to the rest without it. Hours, days and weeks are those of this machine's time zone; weeks begin on Monday. Oldest first.
 *
 * @param flawOf What is known against a set; null: nothing.
 * @param keeper The user that the state directory belongs to.
 * @throws HoldstillError E_CLOCK if rules of time would judge by times that are in doubt.
 */
export function judgeRetention(
  sets: readonly SnapshotSet[],
  retention: Retention,
  now: Date,
  flawOf: (set: SnapshotSet) => string | null = () => null,
  keeper?: number,
): RetentionVerdict[] {
  if (needsTimes(retention)) {
    const doubtful = doubtfulTimes(sets, now);
    if (doubtful.length > 0) throw new HoldstillError("E_CLOCK", { sets: doubtful });
  }
  const verdicts = sets
    .toSorted(bySequence)
    .map((set): RetentionVerdict => ({ set, kept: inUse(set, now), flaw: flawOf(set) }));
  const groups = new Map<string, RetentionVerdict[]>();
  for (const verdict of verdicts) {
    const { targets: named, requester, lease } = verdict.set;
    if (lease !== undefined) continue;
    const targets = JSON.stringify([ownerOf(requester, keeper), ...named.toSorted()]);
    const group = groups.get(targets);
    if (group === undefined) groups.set(targets, [verdict]);
    else group.push(verdict);
  }
  for (const group of groups.values()) {
    const newestFirst = group.toReversed();
    apply(newestFirst, retention);
    const sound = newestFirst.filter(({ flaw }) => flaw === null);
    if (sound.length < group.length) apply(sound, retention);
  }
  return verdicts;
}

const needsTimes = ({ periods: wanted = {}, withinMs }: Retention): boolean =>
  withinMs !== undefined || Object.keys(wanted).length > 0;

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
  for (const verdict of group.slice(0, last)) keep(verdict, "last");
  for (const period of Object.keys(periods) as Period[]) {
    let left = wanted[period] ?? 0;
    let before: string | null = null;
    for (const verdict of group) {
      const name = periods[period](new Date(verdict.set.createdAt));
      if (left === 0) break;
      if (name === before) continue;
      before = name;
      left -= 1;
      keep(verdict, `${period} ${name}`);
    }
  }
  const newest = group[0];
  if (withinMs === undefined || newest === undefined) return;
  const from = Date.parse(newest.set.createdAt) - withinMs;
  for (const verdict of group) if (Date.parse(verdict.set.createdAt) >= from) keep(verdict, "within");
}

function keep({ kept }: RetentionVerdict, rule: string): void {
  if (!kept.includes(rule)) kept.push(rule);
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
