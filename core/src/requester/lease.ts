import { closeSync, existsSync, fstatSync, lstatSync, openSync, readdirSync, rmSync } from "node:fs";
import { randomUUID } from "node:crypto";
import path from "node:path";
import type { StateDir } from "../catalog/state.js";
import type { LeaseMark } from "../schema/types.js";
import { flockExclusive, flockShared } from "../system/libc.js";

/**
 * The life of a set that is not to stay: a file that its requester keeps locked, flock(2). Whoever is given the descriptor, such
 * as a command that reads the set, prolongs the lease; when the last of them is gone, whatever ended it, the kernel ends it.
 */
export class Lease {
  /** What the set's record says of it. */
  readonly mark: LeaseMark;
  readonly fd: number;
  readonly #file: string;

  private constructor(file: string, fd: number) {
    this.#file = file;
    this.fd = fd;
    this.mark = { id: path.basename(file), pid: process.pid, since: new Date().toISOString() };
  }

  static take(state: StateDir): Lease {
    for (;;) {
      const file = path.join(state.leases, randomUUID());
      const fd = openSync(file, "wx", 0o600);
      // Between the two somebody may have swept the file away, as one that nobody holds.
      if (flockExclusive(fd) && isSame(file, fd)) return new Lease(file, fd);
      closeSync(fd);
    }
  }

  /** The set is gone, or is to stay. */
  release(): void {
    rmSync(this.#file, { force: true });
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
  if (fd === null) return;
  try {
    if (flockExclusive(fd)) rmSync(file, { force: true });
  } finally {
    closeSync(fd);
  }
}

function opened(file: string): number | null {
  try {
    return openSync(file, "r");
  } catch {
    return null;
  }
}

function isSame(file: string, fd: number): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
}
