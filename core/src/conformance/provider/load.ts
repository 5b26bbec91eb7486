import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MARK } from "../shell.js";

/** Files in each folder that get the same number in turn; between them something to copy. */
const FILES = 4;
const FILLER = Buffer.alloc(4 * 1024 * 1024, "filler");

/**
 * How a number gets into a file. size: as its length, which a journaling file system keeps in order by itself: thousands of
 * steps a second, but only file systems that are flushed together show one order. text: written and synced, so in order everywhere.
 */
export type Kind = "size" | "text";

const writers: { readonly [K in Kind]: string } = {
  size: "ftruncateSync(file, n);",
  text: "writeSync(file, String(n).padStart(12), 0); fdatasyncSync(file);",
};
const programOf = (kind: Kind): string => `
const { openSync, ftruncateSync, writeSync, fdatasyncSync } = require("node:fs");
const files = process.argv.slice(1).map((file) => openSync(file, "r+"));
for (let n = 1; ; n += 1) for (const file of files) { ${writers[kind]} }
`;

/** Processes that write 1, 2, 3, … each to one file after the other: an order that every snapshot of one instant shows. */
export class Load {
  /** One in each target. */
  readonly folders: readonly string[];
  readonly #processes: readonly ChildProcess[];

  private constructor(folders: readonly string[]) {
    this.folders = folders;
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      for (let at = 0; at < FILES; at += 1) {
        writeFileSync(path.join(folder, `size-${at}`), "");
        writeFileSync(path.join(folder, `text-${at}`), "0".padStart(12));
        writeFileSync(path.join(folder, `filler-${at}`), FILLER);
      }
    }
    const env = { ...process.env, [MARK]: "1" };
    this.#processes = (["size", "text"] as const).map((kind) =>
      spawn(process.execPath, ["-e", programOf(kind), ...filesOf(kind, folders)], { stdio: "ignore", env }),
    );
  }

  /** Answers when both write. */
  static async on(targets: readonly string[]): Promise<Load> {
    const load = new Load(targets.map((target) => path.join(target, "holdstill-check-load")));
    const isSlow = (kind: Kind): boolean => Math.min(...numbersIn(kind, load.folders)) < 3;
    while ((isSlow("size") || isSlow("text")) && load.#processes.every(isAlive)) await sleep(20);
    return load;
  }

  async stop(): Promise<void> {
    const alive = this.#processes.filter(isAlive);
    const gone = alive.map((child) => new Promise((resolve) => child.once("exit", resolve)));
    for (const child of alive) child.kill("SIGKILL");
    await Promise.all(gone);
  }

  remove(): void {
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
  }
}

const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

function filesOf(kind: Kind, folders: readonly string[]): string[] {
  // From folder to folder: the less is written between two of them, the shorter is the gap that shows.
  return Array.from({ length: FILES }, (_, at) => folders.map((folder) => path.join(folder, `${kind}-${at}`))).flat();
}

/** The numbers in folders, or in snapshots of them, in the order of writing. */
export function numbersIn(kind: Kind, folders: readonly string[]): number[] {
  return filesOf(kind, folders).map((file) =>
    kind === "size" ? statSync(file).size : Number(readFileSync(file, "utf8")),
  );
}

/** Of one instant: none is behind its successor, and the first at most one ahead of the last. */
export function isOfOneInstant(numbers: readonly number[]): boolean {
  const [first = 0] = numbers;
  const last = numbers.at(-1) ?? 0;
  return numbers.every((number, at) => at === 0 || (numbers[at - 1] ?? 0) >= number) && first - last <= 1;
}
