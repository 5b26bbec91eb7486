import { type FSWatcher, readFileSync, watch, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PluginError } from "./errors.js";
import type { Cgroup } from "./locate.js";
import { haveNotRun, type RunTimes, runTimesOf } from "./run-times.js";

/** Between two checks whether the last task has stopped, ms. */
const POLL_MS = 2;

/** How late the kernel may report a change, ms: it does so at most every 10 ms (CGROUP_FILE_NOTIFY_MIN_INTV). */
const NOTIFIED_MS = 20;

/** How often a frozen group is seen again until nothing in it has run in between. */
const SETTLING = 10;

/** cgroup.events (Linux, Documentation/admin-guide/cgroup-v2.rst): `frozen` also counts what an ancestor does. */
interface Events {
  populated: boolean;
  frozen: boolean;
}

export const switchOf = ({ dir }: Cgroup): string => path.join(dir, "cgroup.freeze");

export function eventsOf({ dir }: Cgroup): Events {
  const text = readFileSync(path.join(dir, "cgroup.events"), "utf8");
  return { populated: /^populated 1$/m.test(text), frozen: /^frozen 1$/m.test(text) };
}

/** Whether the switch of the group itself is on. */
export function isSwitchedOn(group: Cgroup): boolean {
  return readFileSync(switchOf(group), "utf8").trim() === "1";
}

export function turn(group: Cgroup, to: "on" | "off"): void {
  try {
    writeFileSync(switchOf(group), to === "on" ? "1" : "0");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") throw cause;
    const hint = "Run holdstill as root, or as the user that the group is delegated to.";
    throw new PluginError("CGROUP_RIGHTS", `${switchOf(group)} cannot be written: ${code}`, hint, { cause });
  }
}

/** Resolves when every task of the group has stopped. */
export async function allStopped(group: Cgroup, signal: AbortSignal): Promise<void> {
  while (!eventsOf(group).frozen) {
    if (signal.aborted) throw stuck(group);
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

/**
 * Watches a frozen group. The kernel notifies of every change of cgroup.events: also of a thaw and a freeze so close together that
 * no reader could see the state between them, and of a process that was moved into the group.
 */
export class Watch {
  readonly #group: Cgroup;
  readonly #watcher: FSWatcher;
  #changes = 0;
  #ran: RunTimes = new Map();

  constructor(group: Cgroup) {
    this.#group = group;
    this.#watcher = watch(path.join(group.dir, "cgroup.events"), { persistent: false }, () => (this.#changes += 1));
    this.#watcher.on("error", () => (this.#changes += 1));
  }

  /**
   * Forgets what has changed so far: the freezing itself does. On a busy machine, a child that was about to end still ends, and wakes
   * its parent, which stops again.
   */
  async begin(): Promise<void> {
    this.#ran = runTimesOf(this.#group);
    for (let tries = 0; tries < SETTLING; tries += 1) {
      const before = this.#ran;
      await sleep(NOTIFIED_MS);
      this.#ran = runTimesOf(this.#group);
      if (haveNotRun(before, this.#ran)) break;
    }
    this.#changes = 0;
  }

  /**
   * Ends the watch. A process that was moved in, as by a health check in a container, changes the state, but lets nothing run.
   *
   * @returns whether any process that was frozen may have run, or ended, since its beginning.
   */
  async end(): Promise<"unchanged" | "changed"> {
    await sleep(NOTIFIED_MS);
    this.#watcher.close();
    return this.#changes === 0 || haveNotRun(this.#ran, runTimesOf(this.#group)) ? "unchanged" : "changed";
  }
}

function stuck(group: Cgroup): PluginError {
  const hint = "A task hangs in the kernel, for a device or a network file system: look for state D in ps.";
  return new PluginError("CGROUP_STUCK", `not every process of ${group.name} stopped`, hint);
}
