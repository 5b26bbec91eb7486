import { type ChildProcess, spawn } from "node:child_process";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onEnd } from "./on-end.js";
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
  /** When it wrote, ascending. */
  readonly #times: number[] = [];

  constructor(t: TestContext, point: string) {
    this.point = point;
    this.#child = spawn(process.execPath, ["--input-type=module", "--eval", script, `${point}/scribe`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#times.push(...chunk.trim().split("\n").map(Number));
    });
    onEnd(t, () => {
      // While the file system is frozen the process cannot even die.
      thaw(point);
      this.#child.kill("SIGKILL");
    });
  }

  /** When it first wrote after that time; NaN if it did not within the limit, ms. */
  async writesAfter(time: number, limitMs = 20_000): Promise<number> {
    const end = monotonic() + limitMs;
    for (;;) {
      // From the end: the list is long, and the time is a recent one.
      const before = this.#times.findLastIndex((wrote) => wrote <= time);
      const first = this.#times[before + 1];
      if (first !== undefined) return first;
      if (monotonic() > end) return Number.NaN;
      await sleep(2);
    }
  }

  /** The longest time between two writes since then, ms. */
  longestGap(since: number): number {
    const from = Math.max(
      0,
      this.#times.findLastIndex((wrote) => wrote <= since),
    );
    const times = this.#times.slice(from);
    return times.reduce((most, wrote, at) => Math.max(most, wrote - (times[at - 1] ?? wrote)), 0);
  }

  /** It does not write for so long, ms; what was under way when asked may still end. */
  async standsStill(ms = 200): Promise<boolean> {
    await sleep(50);
    const before = this.#times.length;
    await sleep(ms);
    return this.#times.length === before;
  }
}
