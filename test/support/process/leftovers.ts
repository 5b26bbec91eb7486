/** The temporary folder that a whole test run plays on, and the proof that nothing of it is left. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { holdersOf } from "../storage/mount-holders.js";
import { read } from "./keepers.js";

/** Becomes TMPDIR of this process and of all that it starts. Everybody may look in: some tests are other users. */
export function makeTestFolder(): string {
  const ground = mkdtempSync(path.join(tmpdir(), "holdstill-run-"));
  chmodSync(ground, 0o755);
  process.env["TMPDIR"] = ground;
  return ground;
}

/** What is left on the ground after at most 3 s: mounts, loop devices, processes, files. Removes the ground where nothing is mounted. */
export async function removeTestFolder(ground: string): Promise<string[]> {
  for (let tries = 30; tries > 0 && left(ground).length > 0; tries -= 1) await sleep(100);
  const found = left(ground);
  if (!found.some((what) => what.startsWith("mount"))) rmSync(ground, { recursive: true, force: true });
  return found;
}

/** What the keeper switches on while it holds (core/src/keeper/process/rcu-expedited.ts), and whether somebody else had done so before. */
const haste = "/sys/kernel/rcu_expedited";
const isHasty = (): boolean => existsSync(haste) && readFileSync(haste, "utf8").trim() !== "0";
const wasHasty = isHasty();

/** Where a server's segments of shared memory stay when it is killed. */
const memory = "/dev/shm";
const segments = (): string[] => readdirSync(memory).filter((name) => name.startsWith("PostgreSQL."));
const before = new Set(segments());

function left(ground: string): string[] {
  const table = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const mounts = table.filter((line) => line.includes(ground));
  const loops = matching("/sys/block", (name) => `${name}/loop/backing_file`, ground);
  const processes = matching("/proc", (name) => `${name}/cmdline`, ground);
  return [
    ...mounts.flatMap((line) => [`mount ${line}`, ...holdersOf(line.split(" ")[4] ?? "")]),
    ...loops.map((name) => `loop device ${name}`),
    ...processes.map((name) => `process ${name} (${commandOf(name)})`),
    ...(isHasty() && !wasHasty ? [`a kernel in a hurry: ${haste}`] : []),
    ...readdirSync(ground).map((name) => `file ${name}`),
    ...segments()
      .filter((name) => !before.has(name) && matching("/proc", (pid) => `${pid}/maps`, name).length === 0)
      .map((name) => `file ${path.join(memory, name)}`),
  ];
}

const commandOf = (pid: string): string => read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();

/** Of the folder's entries those that have a file, such as it is, in which the text stands. */
function matching(folder: string, file: (name: string) => string, text: string): string[] {
  return readdirSync(folder).filter((name) => {
    try {
      return readFileSync(path.join(folder, file(name)), "utf8").includes(text);
    } catch {
      return false;
    }
  });
}
