import { type ChildProcess, spawn } from "node:child_process";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { afterwards } from "./cleanup.js";
import { thaw } from "./freezable.js";

const script = `
  import { writeFileSync, writeSync } from "node:fs";
  for (;;) {
    writeFileSync(process.argv[1], "written");
    writeSync(1, String(Number(process.hrtime.bigint()) / 1e6) + "\\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }`;

/** CLOCK_MONOTONIC, ms. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;

/** A process that writes to a file system every 2 ms and says when: it stands still when the file system does. */
export class Scribe {
  readonly point: string;
  readonly #child: ChildProcess;
  #last = 0;

  constructor(t: TestContext, point: string) {
    this.point = point;
    this.#child = spawn(process.execPath, ["--input-type=module", "--eval", script, `${point}/scribe`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#last = Number(chunk.trim().split("\n").at(-1));
    });
    afterwards(t, () => {
      // While the file system is frozen the process cannot even die.
      thaw(point);
      this.#child.kill("SIGKILL");
    });
  }

  /** When it last wrote. */
  get last(): number {
    return this.#last;
  }

  /** When it first wrote after that time, as far as 5 ms tell; NaN if it did not within the limit, ms. */
  async writesAfter(time: number, limitMs = 5000): Promise<number> {
    const end = monotonic() + limitMs;
    while (monotonic() < end) {
      if (this.#last > time) return this.#last;
      await sleep(2);
    }
    return Number.NaN;
  }

  /** It does not write for so long, ms; what was under way when asked may still end. */
  async standsStill(ms = 200): Promise<boolean> {
    await sleep(50);
    const before = this.#last;
    await sleep(ms);
    return this.#last === before;
  }
}
