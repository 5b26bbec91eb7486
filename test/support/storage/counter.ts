import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readSync } from "node:fs";
import path from "node:path";
import { atExit } from "../process/at-exit.js";
import { blockSize, counterFile, decodeBlock, ringBlocks } from "./counter-block.js";

/** A step that is on all volumes. */
export interface Step {
  readonly seq: number;
  /** When it began: wall clock, ms since 1970. */
  readonly at: number;
  /** How long it took, ms: with a volume held, as long as the hold. */
  readonly ms: number;
}

/** What the process is told: to end, or how long to rest after each step from now on, ms. */
export type Word = "stop" | { readonly restMs: number };

/** Snapshots that are not of one instant; `faults` has all that was found. */
export class CounterBroken extends Error {
  override readonly name = "CounterBroken";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`the snapshots are not of one instant: ${faults.join("; ")}`);
    this.faults = faults;
  }
}

/**
 * A process that writes an increasing number to several volumes in turn, each write with fsync(2). Whatever takes a snapshot of all
 * volumes at one instant gets the same number everywhere, or one more on the first few of them. After the corruption test of
 * blksnap: number, time and CRC in each block.
 */
export class Counter implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #callOff: () => void;
  #last: Step = { seq: 0, at: 0, ms: 0 };
  #worstMs = 0;

  private constructor(folders: readonly string[]) {
    const program = path.join(import.meta.dirname, "counter-writer.js");
    this.#child = fork(program, folders, { stdio: ["ignore", "inherit", "inherit", "ipc"], execArgv: [] });
    this.#ended = once(this.#child, "exit");
    this.#child.on("message", (step: Step) => {
      this.#last = step;
      this.#worstMs = Math.max(this.#worstMs, step.ms);
    });
    this.#callOff = atExit(() => this.#child.kill("SIGKILL"));
  }

  /** Starts a counter in folders on as many volumes, and resolves when it has gone round its ring once. */
  static async start(folders: readonly string[]): Promise<Counter> {
    const counter = new Counter(folders);
    await counter.advance(ringBlocks);
    return counter;
  }

  /** Resolves when that many steps that begin after this call are on all volumes. */
  async advance(steps: number): Promise<void> {
    const since = Date.now();
    for (let left = steps; left > 0;) {
      const told = await Promise.race([once(this.#child, "message"), this.#ended.then(() => undefined)]);
      if (told === undefined) throw new Error("the counter has ended");
      // Steps that were told while this process was busy may be older.
      if (this.#last.at >= since) left -= 1;
    }
  }

  /** The number of the last step that is known to be on all volumes. */
  get acknowledged(): number {
    return this.#last.seq;
  }

  /** The longest step since the last call, ms. */
  lapWorstMs(): number {
    const worst = this.#worstMs;
    this.#worstMs = 0;
    return worst;
  }

  /** Rests that long after each step from now on, ms; 0, as at the start: steps follow each other without a pause. */
  pace(restMs: number): void {
    this.#tell({ restMs });
  }

  /** Ends the process after the step under way, and answers that step's number. */
  async stop(): Promise<number> {
    this.#tell("stop");
    await this.#ended;
    this.#callOff();
    return this.#last.seq;
  }

  #tell(word: Word): void {
    // It may have ended, and its channel's end not have come to us yet: that is no fault.
    if (this.#child.connected) this.#child.send(word, () => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Checks snapshots of a counter's folders, given in the order in which it writes to them, and answers the last number that is on all.
 * Fails with CounterBroken when a step is missing or torn, or when the snapshots differ by more than the one step under way.
 */
export function verifyCounter(pictures: readonly string[]): number {
  const faults: string[] = [];
  const newest = pictures.map((folder) => newestOf(folder, faults));
  for (const [index, seq] of newest.entries()) {
    const before = newest[index - 1] ?? seq;
    if (before < seq) faults.push(`${pictures[index]} has step ${seq}, which came to ${pictures[index - 1]} before it`);
  }
  const [most, least] = [Math.max(...newest), Math.min(...newest)];
  if (most - least > 1) faults.push(`they end at steps ${newest.join(", ")}`);
  if (faults.length > 0) throw new CounterBroken(faults);
  return least;
}

/** The newest number in a snapshot; what is missing or torn goes into `faults`. */
function newestOf(folder: string, faults: string[]): number {
  const found: number[] = [];
  const file = openSync(path.join(folder, counterFile), "r");
  try {
    const block = Buffer.alloc(blockSize);
    for (let index = 0; index < ringBlocks; index += 1) {
      const length = readSync(file, block, 0, blockSize, index * blockSize);
      found.push(length === blockSize ? seqAt(index, block) : Number.NaN);
    }
  } catch (error) {
    faults.push(`${folder}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    closeSync(file);
  }
  const newest = Math.max(0, ...found.filter((seq) => !Number.isNaN(seq)));
  const stale = found.filter((seq) => !(seq > newest - ringBlocks)).length;
  if (stale > 0) faults.push(`${folder}: of the last ${ringBlocks} steps ${stale} are missing or torn`);
  return newest;
}

/** The number in a block that lies where that number belongs, or NaN. */
function seqAt(index: number, block: Buffer): number {
  try {
    const seq = decodeBlock(block)?.seq ?? 0;
    return seq % ringBlocks === index ? seq : Number.NaN;
  } catch {
    return Number.NaN;
  }
}
