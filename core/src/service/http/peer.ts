import { readlinkSync } from "node:fs";
import type { Socket } from "node:net";
import type { RequesterMark } from "../../base/schema/types.js";
import { peerCredentials } from "../../os/libc.js";

/** The process at the other end of a connection, as the kernel reports it, unix(7). It cannot be forged. */
export interface Peer {
  readonly mark: RequesterMark;
  /** All its groups. */
  readonly groups: ReadonlySet<number>;
}

/** As of the time of the connection; `executable` as of now. Throws if the connection is closed already. */
export function peerOf(socket: Socket): Peer {
  const { pid, uid, gid, groups } = peerCredentials(socketDescriptor(socket));
  const executable = executableOf(pid);
  return {
    mark: { uid, gid, pid, ...(executable === undefined ? {} : { executable }) },
    groups: new Set([gid, ...groups]),
  };
}

/** Node.js has no public name for it; the property is as old as its sockets. */
export function socketDescriptor(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number } | null };
  if (typeof handle?.fd !== "number" || handle.fd < 0) throw new Error("the connection is closed");
  return handle.fd;
}

function executableOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}
