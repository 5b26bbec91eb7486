import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onEnd } from "./on-end.js";

/** A core of its own process, which can be killed or stopped at each step. */
export class Victim {
  readonly process: ChildProcess;
  readonly #lines: Interface;
  readonly #said: string[] = [];

  private constructor(t: TestContext, mounts: readonly string[]) {
    const main = path.join(import.meta.dirname, "keeper-client.js");
    this.process = spawn(process.execPath, [main, ...mounts], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.process.stdout ?? process.stdin });
    this.#lines.on("line", (line) => this.#said.push(line));
    onEnd(t, () => this.process.kill("SIGKILL"));
  }

  /** With its keeper armed for these mounts. */
  static async start(t: TestContext, mounts: readonly string[]): Promise<Victim> {
    const victim = new Victim(t, mounts);
    await victim.hears("armed");
    return victim;
  }

  get keeperPid(): number {
    return Number(this.#said.find((line) => line.startsWith("armed"))?.split(" ")[1]);
  }

  say(word: "hold" | "release"): void {
    this.process.stdin?.write(`${word}\n`);
  }

  async hears(word: "armed" | "holding" | "held" | "releasing"): Promise<void> {
    while (!this.#said.some((line) => line.split(" ")[0] === word)) {
      if (this.process.exitCode !== null) throw new Error(`it ended before it was ${word}`);
      await Promise.race([once(this.#lines, "line"), once(this.process, "exit")]);
    }
  }
}

/** Waits until that process has ended, reaped or not. False: it has not after the limit, ms. */
export async function isGone(pid: number, limitMs = 5000): Promise<boolean> {
  for (let waited = 0; waited < limitMs; waited += 10) {
    if (!isAlive(pid)) return true;
    await sleep(10);
  }
  return false;
}

/**
 * proc_pid_stat(5): after the name, which may hold anything but ends with the last bracket, comes the state; Z is a zombie. Its
 * files are open until the last of its threads has ended, too.
 */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z") || readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}
