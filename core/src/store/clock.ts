import { closeSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import type { ClockDoubt, ClockRecord, TimeReading } from "../base/schema/types.js";
import { validateOpenly } from "../base/schema/validate.js";
import { flockExclusive } from "../os/libc.js";
import { type StateDir, writeDurably } from "./state-directory.js";

const hour = 3_600_000;
/** How far a clock that is set right moves within one boot, ms. */
const tolerance = hour;
/** How long a machine may have been off, ms. A clock that says more than that has probably jumped. */
const longestOff = 366 * 24 * hour;

/** Both clocks now. Source of the second: proc_uptime(5), which counts suspended time. */
export function readTime(): TimeReading {
  return {
    at: Date.now(),
    boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    upMs: Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000,
  };
}

/**
 * `clock.json`: numbers the sets, and knows the last time that was plausible. A time that does not follow from it is in doubt, and does
 * not become the known one: the doubt ends when the clock is right again, or when the operator accepts the time.
 */
export class Clock {
  readonly #file: string;
  readonly #sets: string;
  readonly #read: () => TimeReading;

  /** @param read Reads both clocks. */
  constructor({ root, sets }: StateDir, read = readTime) {
    this.#file = path.join(root, "clock.json");
    this.#sets = sets;
    this.#read = read;
  }

  /**
   * The number of a new set, and the doubt about its time; null: there is none.
   *
   * @param atLeast The number of the newest set that exists, in case that the file was lost.
   */
  next(atLeast: () => number): { sequence: number; doubt: ClockDoubt | null } {
    return this.#locked(() => {
      const record = this.#record();
      const now = this.#read();
      const doubt = record === null ? null : doubtOf(record.known, now);
      const sequence = (record?.sequence ?? atLeast()) + 1;
      this.#write({ version: 1, sequence, known: doubt === null || record === null ? now : record.known });
      return { sequence, doubt };
    });
  }

  /** The time by which retention ends: the present one, or the one that is expected if the present one is in doubt. */
  believed(): Date {
    const record = this.#record();
    const now = this.#read();
    const doubt = record === null ? null : doubtOf(record.known, now);
    return doubt === null ? new Date(now.at) : new Date(doubt.expected);
  }

  /** The operator says that the present time is right. */
  accept(): void {
    this.#locked(() => this.#write({ version: 1, sequence: this.#record()?.sequence ?? 0, known: this.#read() }));
  }

  /** null: there is none, or it cannot be read. */
  #record(): ClockRecord | null {
    try {
      const checked = validateOpenly("clock", JSON.parse(readFileSync(this.#file, "utf8")), this.#file);
      return checked.ok ? checked.value : null;
    } catch {
      return null;
    }
  }

  #write(record: ClockRecord): void {
    writeDurably(this.#file, `${JSON.stringify(record)}\n`);
  }

  /** A process that was stopped with the lock must not stop the others: then two sets may get one number. */
  #locked<T>(work: () => T): T {
    const fd = openSync(this.#sets, "r");
    try {
      for (let tries = 0; tries < 100 && !flockExclusive(fd); tries += 1) Atomics.wait(waiting, 0, 0, 2);
      return work();
    } finally {
      closeSync(fd);
    }
  }
}

const waiting = new Int32Array(new SharedArrayBuffer(4));

/** Whether a time does not follow from the known one; null: it does. */
export function doubtOf(known: TimeReading, now: TimeReading): ClockDoubt | null {
  const isSameBoot = known.boot === now.boot;
  const expected = known.at + (isSameBoot ? now.upMs - known.upMs : 0);
  const ahead = now.at - expected;
  if (ahead >= -tolerance && ahead <= (isSameBoot ? tolerance : longestOff)) return null;
  return { type: ahead < 0 ? "back" : "forward", expected: new Date(expected).toISOString() };
}
