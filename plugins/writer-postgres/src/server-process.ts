import { readdirSync, readFileSync, readlinkSync, statSync, type BigIntStats } from "node:fs";
import path from "node:path";
import { codeOf } from "#kit/plugin-error.js";
import { PluginError } from "./errors.js";
import { readBeginning } from "./read-beginning.js";

/** A server's process, found by where it works: the number in postmaster.pid proves nothing. */
export interface ServerProcess {
  /** As this process counts; the server may be in another pid namespace. */
  readonly pid: number;
  /** Folder of its programs, as this process can reach it: through the process's root if it is in a container. */
  readonly programs: string;
}

/**
 * The PostgreSQL process that works in the folder: each process of a server has the data directory as its working directory
 * (src/backend/utils/init/miscinit.c, ChangeToDataDir), whatever the folder is called in its mount namespace.
 *
 * @throws PG_RUNNING where a process of the folder's owner may not be examined
 */
export function serverOn(dataDir: string): ServerProcess | undefined {
  const dir = statSync(dataDir, { bigint: true, throwIfNoEntry: false });
  if (dir === undefined) return undefined;
  for (const name of readdirSync("/proc")) {
    if (!/^[1-9][0-9]*$/.test(name)) continue;
    try {
      if (!isSame(statSync(`/proc/${name}/cwd`, { bigint: true }), dir)) continue;
      const exe = readlinkSync(`/proc/${name}/exe`);
      if (isServer(exe)) return { pid: Number(name), programs: programsOf(name, exe) };
    } catch (error) {
      if (isForbidden(error) && isOfUser(name, dir)) throw unseen(dataDir, name);
      // The process has ended, or belongs to another user, whose server could not work in this folder.
    }
  }
  return undefined;
}

/**
 * The process that works in the folder, or did until the folder was deleted or renamed under it. Such a server still writes
 * `global/pg_control` by the folder's old path (src/common/controldata_utils.c, update_controlfile): into what a restore puts there.
 *
 * @throws PG_RUNNING as {@link serverOn}
 */
export function serverOf(dataDir: string): Pick<ServerProcess, "pid"> | undefined {
  const working = serverOn(dataDir);
  if (working !== undefined) return working;
  const parent = statSync(path.dirname(dataDir), { bigint: true, throwIfNoEntry: false });
  if (parent === undefined) return undefined;
  const pid = readdirSync("/proc").find((name) => /^[1-9][0-9]*$/.test(name) && wasIn(name, dataDir, parent));
  return pid === undefined ? undefined : { pid: Number(pid) };
}

function wasIn(pid: string, dataDir: string, parent: BigIntStats): boolean {
  try {
    if (!isServer(readlinkSync(`/proc/${pid}/exe`))) return false;
    return namesOf(pid).some((name) => {
      if (path.basename(name) !== path.basename(dataDir)) return false;
      const above = path.join(`/proc/${pid}/root`, path.dirname(name));
      const found = statSync(above, { bigint: true, throwIfNoEntry: false });
      return found !== undefined && isSame(found, parent);
    });
  } catch {
    return false; // It has ended, or belongs to a user whom this process may not examine.
  }
}

/** The data directory's path as the server had it: by the kernel if it was deleted, by postmaster.pid, and by the option -D. */
function namesOf(pid: string): string[] {
  const cwd = `/proc/${pid}/cwd`;
  const [, deleted] = /^(.+) \(deleted\)$/s.exec(readlinkSync(cwd)) ?? [];
  const written = deleted === undefined ? secondLine(path.join(cwd, "postmaster.pid")) : undefined;
  const [, asked] = /(?:^|\0)-D\0([^\0]+)/.exec(readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? [];
  return [deleted, written, asked].filter((one) => one !== undefined && path.isAbsolute(one)) as string[];
}

function secondLine(file: string): string | undefined {
  try {
    return readBeginning(file, 8192).toString().split("\n")[1];
  } catch {
    return undefined;
  }
}

/** A program that was replaced while it runs has a name that ends with ` (deleted)`. */
function isServer(exe: string): boolean {
  return /^(edb-)?(postgres|postmaster)( \(deleted\))?$/.test(path.basename(exe));
}

function programsOf(pid: string, exe: string): string {
  const dir = path.dirname(exe);
  const running = statSync(`/proc/${pid}/exe`, { bigint: true });
  const here = statSync(path.join(dir, path.basename(exe)), { bigint: true, throwIfNoEntry: false });
  return here !== undefined && isSame(here, running) ? dir : path.join(`/proc/${pid}/root`, dir);
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

function isForbidden(error: unknown): boolean {
  return codeOf(error) === "EACCES" || codeOf(error) === "EPERM";
}

function isOfUser(pid: string, { uid }: BigIntStats): boolean {
  return statSync(`/proc/${pid}`, { bigint: true, throwIfNoEntry: false })?.uid === uid;
}

function unseen(dataDir: string, pid: string): PluginError {
  const message = `process ${pid} of the owner of ${dataDir} may not be examined, and may be a server`;
  return new PluginError("PG_RUNNING", message, "Run holdstill as root.");
}
