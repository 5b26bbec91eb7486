import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { sameFile, tryTo } from "./proc.js";

/** Where a session's other end is to be looked for: a socket's file, or both ends of a TCP connection as the client sees them. */
export type Endpoint =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "tcp"; readonly localPort: number; readonly remotePort: number };

/** SO_ACCEPTCON, in the column Flags of /proc/net/unix: the socket listens. */
const listening = "00010000";
/** TCP_ESTABLISHED, in the column st of /proc/net/tcp. */
const established = "01";

/** Whether the process has the other end: it listens on that very file, or holds the connection's peer. */
export function serves(pid: number, endpoint: Endpoint): boolean {
  const own = socketsOf(pid);
  switch (endpoint.kind) {
    case "socket":
      return listeners(pid).some(({ inode, file }) => {
        if (!own.has(inode)) return false;
        // As the process sees it, which may have its own root.
        const seen = file.startsWith("/") ? `/proc/${pid}/root${file}` : `/proc/${pid}/cwd/${file}`;
        return sameFile(seen, endpoint.path);
      });
    case "tcp":
      return [...lines(pid, "tcp"), ...lines(pid, "tcp6")].some((line) => {
        const [, local = "", remote = "", state, , , , , , inode = ""] = line.trim().split(/\s+/);
        const ends = [portOf(local), portOf(remote)];
        return (
          state === established && own.has(inode) && ends[0] === endpoint.remotePort && ends[1] === endpoint.localPort
        );
      });
  }
}

/**
 * Sockets that listen, with the path that each was bound to: Num RefCount Protocol Flags Type St Inode Path, and the path may contain
 * blanks. The kernel does not escape line ends, so a path can imitate the line of another socket: a number that comes twice is neither.
 */
function listeners(pid: number): { readonly inode: string; readonly file: string }[] {
  const found = lines(pid, "unix").flatMap((line) => {
    const [, flags, inode, file = ""] = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+)(?: (.*))?$/.exec(line) ?? [];
    return inode === undefined ? [] : [{ inode, file, isListening: flags === listening && file !== "" }];
  });
  return found.filter(
    ({ inode, isListening }) => isListening && found.filter((one) => one.inode === inode).length === 1,
  );
}

/** The numbers of the sockets that the process has open. */
function socketsOf(pid: number): Set<string> {
  const open = new Set<string>();
  for (const fd of tryTo(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(tryTo(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? "") ?? [];
    if (inode !== undefined) open.add(inode);
  }
  return open;
}

/** A table of the process's network namespace, see proc_pid_net(5). */
function lines(pid: number, table: "unix" | "tcp" | "tcp6"): string[] {
  return (tryTo(() => readFileSync(`/proc/${pid}/net/${table}`, "utf8")) ?? "").split("\n").slice(1);
}

const portOf = (address: string): number => Number.parseInt(address.slice(address.lastIndexOf(":") + 1), 16);
