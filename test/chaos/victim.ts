import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { readdirSync } from "node:fs";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf, read } from "../support/process/keepers.js";
import { onEnd } from "../support/process/on-end.js";
import { program } from "../support/process/command-line.js";
import type { Scene } from "../support/fixture/scene.js";
import { isGone } from "../support/process/victim.js";

/** Where a transaction stands, as far as can be seen from outside: from the hold to the release it tells nothing. */
export const moments = [
  "arming",
  "freezing",
  "about to hold",
  "holding",
  "committing",
  "a thread of it is stuck on what is held",
  "thawing",
] as const;
export type Moment = (typeof moments)[number];

/** `holdstill create` as a process of its own, to be struck at a moment. */
export class Victim {
  readonly child: ChildProcess;
  readonly #stage: Scene;
  readonly #phases = new Set<string>();
  readonly #keepers: number[] = [];
  #stderr = "";

  /** @param wrap What is to run instead of the command, and runs it. */
  constructor(
    t: TestContext,
    stage: Scene,
    args: readonly string[],
    wrap: (command: readonly string[]) => readonly string[] = (command) => command,
  ) {
    const [command = "", ...rest] = wrap([process.execPath, program, "create", ...args, "--json=stream"]);
    this.#stage = stage;
    this.child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    createInterface({ input: this.child.stdout ?? process.stdin }).on("line", (line) => {
      const phase = /"phase":"([a-z]+)"/.exec(line)?.[1];
      if (phase !== undefined) this.#phases.add(phase);
    });
    onEnd(t, () => this.strike("SIGKILL"));
  }

  /** @throws Error when it ends before. */
  async reaches(moment: Moment): Promise<void> {
    while (!this.#isAt(moment)) {
      if (this.child.exitCode !== null) throw new Error(`it ended before ${moment}: ${this.#stderr}`);
      await sleep(1);
    }
    if (moment === "holding") await sleep(Math.random() * 12);
    if (moment === "committing") await sleep(Math.random() * 100);
  }

  #isAt(moment: Moment): boolean {
    switch (moment) {
      case "arming":
        return this.#phases.has("arm");
      case "freezing":
        return this.#phases.has("freeze");
      case "about to hold":
      case "holding":
        return this.#phases.has("hold");
      case "committing":
        return this.#stage.calls("store").includes("commit");
      case "a thread of it is stuck on what is held":
        return this.#stage.calls("store").includes("commit") && isStuck(this.child.pid ?? 0);
      case "thawing":
        return this.#phases.has("thaw");
    }
  }

  /** A signal for the process, or for all of its group. */
  strike(signal: NodeJS.Signals, whom: "process" | "group" = "process"): void {
    const { pid } = this.child;
    this.#keepers.push(...keepersOf(this.#stage.dir));
    if (pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    process.kill(whom === "group" ? -pid : pid, signal);
  }

  /** Also those that the one that was struck had started to do its work, and the keeper, which releases first. */
  async ended(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
    while (readdirSync("/proc").some((name) => isCreating(name, this.#stage.dir))) await sleep(10);
    for (const pid of this.#keepers) if (!(await isGone(pid, 10_000))) throw new Error(`the keeper ${pid} does not go`);
  }
}

/** One of its threads is in state D, where no signal reaches it: proc_pid_status(5). */
function isStuck(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).some((task) => /^State:\s+D/m.test(read(`${tasks}/${task}/status`)));
}

const isCreating = (pid: string, dir: string): boolean =>
  read(`/proc/${pid}/cmdline`).includes("\0create\0") && read(`/proc/${pid}/cmdline`).includes(dir);

/** Also of a command that another one runs. */
const keepersOf = (dir: string): number[] =>
  readdirSync("/proc")
    .filter((pid) => isCreating(pid, dir))
    .flatMap((pid) => childrenOf(Number(pid), "keeper/process/main.js"));
