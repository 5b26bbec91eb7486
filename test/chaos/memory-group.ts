import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { onEnd } from "../support/process/on-end.js";

/** cgroups(7): where memory groups are, and what their limit and their usage are called, by version. */
const versions = [
  { root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes" },
  { root: "/sys/fs/cgroup", limit: "memory.max", usage: "memory.current" },
] as const;

let made = 0;

/** A control group whose memory can be made to run out. */
export class MemoryGroup {
  readonly #dir: string;
  readonly #version: (typeof versions)[number];
  readonly #t: TestContext;

  private constructor(t: TestContext, version: (typeof versions)[number]) {
    this.#t = t;
    this.#version = version;
    this.#dir = path.join(version.root, `holdstill-test-${process.pid}-${(made += 1)}`);
    mkdirSync(this.#dir);
    onEnd(t, () => rmdirSync(this.#dir));
  }

  /** null where this machine has none, or lets nobody make one: the test is skipped then. */
  static make(t: TestContext): MemoryGroup | null {
    const version = versions.find(({ root }) => existsSync(path.join(root, "cgroup.procs")));
    try {
      if (version !== undefined) return new MemoryGroup(t, version);
    } catch {
      // A container may see them and not be allowed to.
    }
    t.skip("there are no memory control groups to be made here");
    return null;
  }

  /** What runs a command in the group. */
  get wrap(): string[] {
    return ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', this.#dir];
  }

  /** The kernel has to kill somebody: not the balloon, nor whoever else it may not. */
  async exhaust(): Promise<void> {
    const usage = Number(readFileSync(path.join(this.#dir, this.#version.usage), "utf8"));
    writeFileSync(path.join(this.#dir, this.#version.limit), String(usage + 32 * 1024 * 1024));
    const balloon: ChildProcess = spawn(
      "sh",
      [
        "-c",
        'echo -1000 > /proc/self/oom_score_adj; echo $$ > "$0/cgroup.procs"; exec head -c 60M /dev/zero | tail',
        this.#dir,
      ],
      { stdio: "ignore", detached: true },
    );
    onEnd(this.#t, () => endGroup(balloon));
    await once(balloon, "exit");
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}
