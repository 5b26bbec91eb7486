import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { program } from "./command-line.js";
import { onEnd } from "./on-end.js";

/** A command line that keeps a set until its stdin ends, as `create --lease-stdin` does, and `run … -- cat`. */
export class LeasedCommand {
  stderr = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;

  constructor(t: TestContext, args: readonly string[]) {
    this.#child = spawn(process.execPath, [program, ...args], { stdio: ["pipe", "ignore", "pipe"] });
    this.#ended = once(this.#child, "close");
    onEnd(t, () => void this.#child.kill("SIGKILL"));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
  }

  /** Resolves when it has said that. Fails when it ends before, or says nothing of it for two minutes. */
  async printed(text: string): Promise<void> {
    const until = performance.now() + 120_000;
    while (!this.stderr.includes(text)) {
      if (performance.now() > until) throw new Error(`it did not say ${text}: ${this.stderr}`);
      if (this.#child.exitCode !== null) throw new Error(`it ended without saying ${text}: ${this.stderr}`);
      await sleep(20);
    }
  }

  /** @returns its exit code. */
  async end(): Promise<number | null> {
    this.#child.stdin?.end();
    const [exitCode] = await this.#ended;
    return exitCode as number | null;
  }
}
