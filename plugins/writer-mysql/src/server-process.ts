import { readFileSync, readlinkSync } from "node:fs";
import { PluginError } from "./errors.js";
import { processes, sameFile, tryTo } from "./proc.js";
import { type Endpoint, serves } from "./process-sockets.js";

/** Whom a process runs as. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** A server's process, as this machine shows it. */
export interface ServerProcess {
  readonly pid: number;
  readonly user: ProcessUser;
  /** Absolute path of its program; undefined where that path leads to another file, as in a container. */
  readonly binary?: string;
}

/**
 * The process that answers, if it works in that folder: both servers make their data directory the folder that they work in
 * (sql/mysqld.cc, my_setwd). What a server reports, or a number in a file, would prove neither.
 *
 * @throws PluginError MYSQL_NOT_LOCAL
 */
export function provenServer(dataDir: string, endpoint: Endpoint): ServerProcess {
  const working = processes().filter((pid) => sameFile(`/proc/${pid}/cwd`, dataDir));
  const pid = working.find((one) => serves(one, endpoint));
  const server = pid === undefined ? undefined : tryTo(() => describe(pid));
  if (server !== undefined) return server;
  const where = endpoint.kind === "socket" ? endpoint.path : `port ${endpoint.remotePort}`;
  const others = working.filter((one) => isServer(one));
  const seen =
    others.length === 0
      ? "no process that can be seen here works in it"
      : `process ${others.join(", ")} works in it, and does not serve ${where}`;
  const hint =
    process.getuid?.() === 0
      ? "Connect to the server of this folder itself, not through a proxy. A container must have its data at the same path outside."
      : "Run holdstill as root, or as the server's user.";
  throw new PluginError("MYSQL_NOT_LOCAL", `the server names ${dataDir} as its data directory, but ${seen}`, hint);
}

/** A server that works in that folder, also if the folder was deleted under it. */
export function serverWorkingIn(dataDir: string): { readonly pid: number; readonly program: string } | undefined {
  for (const pid of processes()) {
    const cwd = `/proc/${pid}/cwd`;
    const isThere = sameFile(cwd, dataDir) || tryTo(() => readlinkSync(cwd)) === `${dataDir} (deleted)`;
    const program = isThere && isServer(pid) ? programOf(pid) : undefined;
    if (program !== undefined) return { pid, program };
  }
  return undefined;
}

function isServer(pid: number): boolean {
  return /\/(mariadbd|mysqld)[^/]*$/.test(programOf(pid) ?? "");
}

/** The kernel adds the word if the program was replaced while it runs. */
function programOf(pid: number): string | undefined {
  return tryTo(() => readlinkSync(`/proc/${pid}/exe`))?.replace(/ \(deleted\)$/, "");
}

function describe(pid: number): ServerProcess {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  // The real ids, which come first: a program with set-user-ID has others beside.
  const numbers = (field: string): number[] =>
    (new RegExp(`^${field}:(.*)$`, "m").exec(status)?.[1] ?? "").trim().split(/\s+/).filter(Boolean).map(Number);
  const [uid] = numbers("Uid");
  const [gid] = numbers("Gid");
  if (uid === undefined || gid === undefined) throw new Error(`/proc/${pid}/status has no ids`);
  const binary = programOf(pid);
  const exe = `/proc/${pid}/exe`;
  const isReplaced = readlinkSync(exe).endsWith(" (deleted)") && readlinkSync(`/proc/${pid}/ns/mnt`) === ownMounts();
  const isHere = binary !== undefined && (isReplaced || sameFile(exe, binary));
  return { pid, user: { uid, gid, groups: numbers("Groups") }, ...(isHere && { binary }) };
}

const ownMounts = (): string => readlinkSync("/proc/self/ns/mnt");
