import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MARK } from "../shell.js";

/** Files in each folder that get the same number in turn; between them something to copy. */
const COUNTERS = 4;
const FILLER = Buffer.alloc(4 * 1024 * 1024, "filler");
const name = (at: number): string => `counter-${at}`;

/** Writes 1, 2, 3, … to the files, each number to one after the other, each on its way to disk before the next. */
const program = `
const { openSync, writeSync, fdatasyncSync } = require("node:fs");
const files = process.argv.slice(1).map((file) => openSync(file, "r+"));
for (let n = 1; ; n += 1)
  for (const file of files) {
    writeSync(file, String(n).padStart(12), 0);
    fdatasyncSync(file);
  }
`;

/** A process that writes in an order which every picture of one instant shows. */
export class Load {
  readonly #folders: readonly string[];
  readonly #process: ChildProcess;

  private constructor(folders: readonly string[]) {
    this.#folders = folders;
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      for (let at = 0; at < COUNTERS; at += 1) {
        writeFileSync(path.join(folder, name(at)), "0".padStart(12));
        writeFileSync(path.join(folder, `filler-${at}`), FILLER);
      }
    }
    const files = this.#files(folders);
    const env = { ...process.env, [MARK]: "1" };
    this.#process = spawn(process.execPath, ["-e", program, ...files], { stdio: "ignore", env });
  }

  /** Answers when it writes. */
  static async on(targets: readonly string[]): Promise<Load> {
    const load = new Load(targets.map((target) => path.join(target, "holdstill-check-load")));
    while (Math.min(...numbersIn(load.#files(load.#folders))) < 3 && load.#process.exitCode === null) await sleep(20);
    return load;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await gone;
  }

  remove(): void {
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }

  /** The numbers in the pictures of the folders, in the order of writing. */
  seen(pictureOf: (folder: string) => string, folders: readonly string[]): number[] {
    return numbersIn(this.#files(folders.map((folder) => pictureOf(folder))));
  }

  get folders(): readonly string[] {
    return this.#folders;
  }

  #files(folders: readonly string[]): string[] {
    return folders.flatMap((folder) => Array.from({ length: COUNTERS }, (_, at) => path.join(folder, name(at))));
  }
}

const numbersIn = (files: readonly string[]): number[] => files.map((file) => Number(readFileSync(file, "utf8")));

/** Of one instant: none is behind its successor, and the first at most one ahead of the last. */
export function isOfOneInstant(numbers: readonly number[]): boolean {
  const [first = 0] = numbers;
  const last = numbers.at(-1) ?? 0;
  return numbers.every((number, at) => at === 0 || (numbers[at - 1] ?? 0) >= number) && first - last <= 1;
}
