import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";

/**
 * Who keeps a file system from being unmounted: processes with a file of it open, and those in other mount namespaces with copies of
 * its mount, or of a file system in one of its files. One line for each.
 */
export function holdersOf(point: string): string[] {
  const isBelow = (file: string): boolean => file === point || file.startsWith(`${point}/`);
  const devices = new Map<string, string>();
  for (const [device, at] of mountsOf("self")) if (at === point) devices.set(device, point);
  for (const name of readdirSync("/sys/block")) {
    const file = textOf(`/sys/block/${name}/loop/backing_file`).trim();
    if (isBelow(file)) devices.set(textOf(`/sys/block/${name}/dev`).trim(), file);
  }
  const here = linkOf("/proc/self/ns/mnt");
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    const command = textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    const tell = (what: string): string => `process ${pid} (${command}) ${what}`;
    const open = filesOf(pid).filter(isBelow);
    const isElsewhere = linkOf(`/proc/${pid}/ns/mnt`) !== here;
    const copies = isElsewhere ? mountsOf(pid).flatMap(([device]) => devices.get(device) ?? []) : [];
    return [
      ...open.map((file) => tell(`has ${file} open`)),
      ...copies.map((what) => tell(`has ${what} mounted in its namespace`)),
    ];
  });
}

/** Device numbers and places of a process's mounts, of /proc/PID/mountinfo, proc(5). */
function mountsOf(pid: string): [device: string, point: string][] {
  const lines = textOf(`/proc/${pid}/mountinfo`).split("\n");
  return lines.map((line) => line.split(" ")).map((fields) => [fields[2] ?? "", fields[4] ?? ""]);
}

function filesOf(pid: string): string[] {
  const folder = `/proc/${pid}`;
  const links = ["cwd", "root", "exe", ...entriesOf(`${folder}/fd`).map((name) => `fd/${name}`)];
  return [...new Set(links.map((name) => linkOf(path.join(folder, name))))];
}

/** Of a process that has ended meanwhile nothing is left. */
function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

const textOf = (file: string): string => attempt(() => readFileSync(file, "utf8"), "");
const linkOf = (file: string): string => attempt(() => readlinkSync(file), "");
const entriesOf = (folder: string): string[] => attempt(() => readdirSync(folder), []);
