import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { randomUUID } from "node:crypto";
import path from "node:path";
import type { StateDir } from "./state-directory.js";
import { HoldstillError } from "../base/errors/error.js";
import type { LeaseMark } from "../base/schema/types.js";
import { flockExclusive, flockShared } from "../os/libc.js";

/**
 * The life of a set that is not to stay: a file that its requester keeps locked, flock(2). Whoever is given the descriptor, such
 * as a command that reads the set, prolongs the lease; when the last of them is gone, whatever ended it, the kernel ends it.
 */
export class Lease {
  /** What the set's record says of it. */
  readonly mark: LeaseMark;
  readonly fd: number;
  readonly #file: string;

  private constructor(file: string, fd: number, pid: number) {
    this.#file = file;
    this.fd = fd;
    this.mark = { id: path.basename(file), pid, since: new Date().toISOString() };
  }

  static take(state: StateDir): Lease {
    for (;;) {
      const file = path.join(state.leases, randomUUID());
      const fd = openSync(file, "wx", 0o600);
      // Between the two somebody may have swept the file away, as one that nobody holds.
      if (flockExclusive(fd) && isSame(file, fd)) return new Lease(file, fd, process.pid);
      closeSync(fd);
    }
  }

  /**
   * The lease of whoever started this process: it lasts while he, or somebody that he started, has this descriptor of a file open.
   *
   * @throws HoldstillError E_LEASE_FD
   */
  static inherit(state: StateDir, fd: number): Lease {
    const refuse = (problem: string): never => {
      throw new HoldstillError("E_LEASE_FD", { fd, problem });
    };
    if (!existsSync(`/proc/self/fd/${fd}`)) refuse("it is not open, or its file is gone");
    const target = readlinkSync(`/proc/self/fd/${fd}`);
    if (!fstatSync(fd).isFile()) refuse("it is no regular file");
    if (statSync(target, { throwIfNoEntry: false })?.ino !== fstatSync(fd).ino) refuse("its file is gone");
    if (!flockExclusive(fd)) refuse(`somebody else has locked ${target}`);
    const file = path.join(state.leases, randomUUID());
    symlinkSync(target, file);
    return new Lease(file, fd, process.ppid);
  }

  /** The set is gone, or is to stay. */
  release(): void {
    rmSync(this.#file, { force: true });
    closeSync(this.fd);
  }

  /** The set is still there: whoever comes next finds the file without a holder, and removes it. */
  lapse(): void {
    closeSync(this.fd);
  }
}

/** Whether somebody who has a lease lives. */
export function isLeased(state: StateDir, { id }: Pick<LeaseMark, "id">): boolean {
  const fd = opened(path.join(state.leases, id));
  if (fd === null) return false;
  try {
    return !flockShared(fd);
  } finally {
    closeSync(fd);
  }
}

/** Ids of leases whose holders are gone. Cheap: in most runs the folder is empty. */
export function expiredLeases(state: StateDir): string[] {
  if (!existsSync(state.leases)) return [];
  return readdirSync(state.leases).filter((id) => !isLeased(state, { id }));
}

/** Removes the file under a lock: one that somebody is just about to take is seen by him to be gone. */
export function forgetLease(state: StateDir, id: string): void {
  const file = path.join(state.leases, id);
  const fd = opened(file);
  if (fd === null) {
    // What was inherited is a link, and what it led to is gone.
    rmSync(file, { force: true });
    return;
  }
  try {
    if (flockExclusive(fd)) rmSync(file, { force: true });
  } finally {
    closeSync(fd);
  }
}

function opened(file: string): number | null {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

function isSame(file: string, fd: number): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
}
