import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { onEnd } from "./on-end.js";

const holder = path.join(import.meta.dirname, "holder.js");

/** A process that runs rig/holder.ts; killed when the test ends. */
export class HolderProcess {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(t: TestContext, ...args: string[]) {
    const child = spawn(process.execPath, [holder, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    this.child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    onEnd(t, () => child.kill("SIGKILL"));
  }

  /** What it says next. */
  async nextLine(): Promise<string> {
    const line = await this.#lines.next();
    return line.done === true ? "nothing more" : line.value;
  }

  /** Ends it by kill -9. */
  async kill(): Promise<void> {
    const exit = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exit;
  }
}
