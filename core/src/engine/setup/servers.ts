import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";

/** A database server that runs on this machine. */
export interface Server {
  readonly kind: "postgres" | "mysql";
  readonly pid: number;
  readonly dataDir: string;
  /** Unix sockets that it listens on; empty where we may not see them. */
  readonly sockets: readonly string[];
  /** Its systemd unit. */
  readonly unit: string | null;
}

/** What the server's first process is called in proc_pid_comm(5), and a file that its data directory has. */
const kinds = [
  { kind: "postgres", names: ["postgres", "postmaster"], mark: "PG_VERSION" },
  { kind: "mysql", names: ["mysqld", "mariadbd"], mark: "ibdata1" },
] as const;

/**
 * Finds servers by their processes: both kinds work in their data directory (chdir in postmaster's ChangeToDataDir, and in
 * mysqld's mysql_real_data_home). Without root only one's own servers are seen.
 */
export function findServers(proc = "/proc"): Server[] {
  const sockets = listeningSockets(proc);
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => serverOf(path.join(proc, pid), sockets) ?? [])
    .toSorted((a, b) => (a.dataDir < b.dataDir ? -1 : 1));
}

/** null: no server, or one that has just ended. */
function serverOf(dir: string, sockets: ReadonlyMap<string, string>): Server | null {
  try {
    const name = commOf(dir);
    const known = kinds.find(({ names }) => names.some((one) => one === name));
    if (known === undefined || isChild(dir, known.names)) return null;
    const dataDir = readlinkSync(path.join(dir, "cwd"));
    if (!existsSync(path.join(dataDir, known.mark))) return null;
    const fds = readdirSync(path.join(dir, "fd")).map((fd) => readlinkSync(path.join(dir, "fd", fd)));
    const own = fds.flatMap((link) => sockets.get(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? "") ?? []);
    return { kind: known.kind, pid: Number(path.basename(dir)), dataDir, sockets: own, unit: unitOf(dir) };
  } catch {
    return null;
  }
}

const commOf = (dir: string): string => readFileSync(path.join(dir, "comm"), "utf8").trimEnd();

/** PostgreSQL's back-ends have the server's name. */
function isChild(dir: string, names: readonly string[]): boolean {
  const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(path.join(dir, "status"), "utf8"))?.[1] ?? "0";
  return parent !== "0" && names.includes(commOf(path.join(dir, "..", parent)));
}

/** cgroups(7): the path ends with the unit, below it at most a part that the service made itself. */
function unitOf(dir: string): string | null {
  const parts = readFileSync(path.join(dir, "cgroup"), "utf8").trimEnd().split("/");
  return parts.findLast((part) => part.endsWith(".service") && !part.startsWith("user@")) ?? null;
}

/** /proc/net/unix: path by inode, of sockets that accept connections (flag 00010000) and have a path. */
function listeningSockets(proc: string): Map<string, string> {
  const lines = readFileSync(path.join(proc, "net/unix"), "utf8").split("\n").slice(1);
  return new Map(
    lines.flatMap((line) => {
      const [, , , flags, , , inode = "", name = ""] = line.split(/\s+/);
      return flags === "00010000" && name.startsWith("/") ? [[inode, name] as const] : [];
    }),
  );
}
