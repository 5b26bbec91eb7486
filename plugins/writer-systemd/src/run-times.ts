import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Cgroup } from "./locate.js";

/** How long each task of a group has run, by its number. */
export type RunTimes = ReadonlyMap<string, string>;

/** Reads /proc/PID/task/TID/schedstat (Linux, Documentation/scheduler/sched-stats.rst): a task that runs changes its own at once. */
export function runTimesOf(group: Cgroup): RunTimes {
  const times = new Map<string, string>();
  for (const pid of processesBelow(group.dir)) {
    for (const task of entries(`/proc/${pid}/task`)) times.set(task, read(`/proc/${pid}/task/${task}/schedstat`));
  }
  return times;
}

/** Whether all tasks of before are still there, and none has run. A task that came since does not count: it was frozen on arrival. */
export function haveNotRun(before: RunTimes, now: RunTimes): boolean {
  return before.size > 0 && [...before].every(([task, time]) => time !== "" && now.get(task) === time);
}

/** Processes of the group, and of those below it. */
function processesBelow(dir: string): string[] {
  const own = read(path.join(dir, "cgroup.procs")).split("\n").filter(Boolean);
  return [...own, ...groupsIn(dir).flatMap((inner) => processesBelow(inner))];
}

function groupsIn(dir: string): string[] {
  try {
    const inner = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return inner.map(({ name }) => path.join(dir, name));
  } catch {
    return [];
  }
}

/** Empty: it is not a folder, or ended meanwhile. */
function entries(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
