import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { entriesOf } from "../host/manifest/folder.js";
import { isWithin, readMounts } from "../os/mounts.js";
import { prctl } from "../os/libc.js";
import { MARK } from "./shell.js";

/** linux/prctl.h: from then on orphans below this process become its children. */
const PR_SET_CHILD_SUBREAPER = 36;

/** Makes that a process which a plugin leaves is seen, however it went into the background. */
export function adoptOrphans(state: "on" | "off"): void {
  prctl(PR_SET_CHILD_SUBREAPER, state === "on" ? 1 : 0);
}

export interface Process {
  pid: number;
  command: string;
  /** Whether one of the fixture's commands started it. */
  by: "fixture" | "other";
}

/** Every process below this one that still runs, without those given and what these have started. */
export function descendants(except: readonly number[] = []): Process[] {
  const children = new Map<number, number[]>();
  for (const pid of readdirSync("/proc").map(Number).filter(Number.isInteger)) {
    const parent = parentOf(pid);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const below = (pid: number): number[] =>
    (children.get(pid) ?? []).flatMap((child) => (except.includes(child) ? [] : [child, ...below(child)]));
  return below(process.pid).map((pid) => ({
    pid,
    command: read(pid, "cmdline").replaceAll("\0", " ").trim() || `process ${pid}`,
    by: read(pid, "environ").split("\0").includes(`${MARK}=1`) ? "fixture" : "other",
  }));
}

/** null: the process is gone, or a zombie, since adopted processes are not waited for. */
function parentOf(pid: number): number | null {
  const stat = read(pid, "stat");
  // The name, in brackets, may contain anything.
  const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === undefined || state === "" || state === "Z" ? null : Number(parent);
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Mounts in the folders, and loop devices on files there, a phrase each. */
export function attached(folders: readonly string[]): string[] {
  const isThere = (file: string): boolean => folders.some((folder) => isWithin(file, folder));
  const mounts = readMounts().filter(({ mountPoint }) => isThere(mountPoint));
  const loops = readdirSync("/sys/block").flatMap((name) => {
    const file = backingFile(name);
    return file !== null && isThere(file) ? [`loop device /dev/${name} on ${file}`] : [];
  });
  return [...mounts.map(({ mountPoint, source }) => `mount of ${source} on ${mountPoint}`), ...loops];
}

function backingFile(device: string): string | null {
  try {
    return readFileSync(path.join("/sys/block", device, "loop/backing_file"), "utf8").trim();
  } catch {
    return null;
  }
}

/** What lies in a folder, each with what changes when its content does. A folder that is not there is empty. */
export async function contentOf(folder: string): Promise<Map<string, string>> {
  const entries = await entriesOf(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const inside = entries.filter(({ file }) => file !== folder);
  return new Map(
    inside.map(({ file, stats }) => [file, stats.isDirectory() ? "folder" : `${stats.size} ${stats.mtimeMs}`]),
  );
}

/** What is new in a folder, or was changed. */
export function news(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...after].flatMap(([file, state]) => (before.get(file) === state ? [] : [file]));
}
