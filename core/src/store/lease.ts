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
import { HoldstillError } from "../base/errors/error.js";
import type { LeaseMark } from "../base/schema/types.js";
import { flockExclusive, flockShared } from "../os/libc.js";
import { asStateError, type StateDir } from "./state-directory.js";
import type { WriteGate } from "./write-gate.js";

/**
 * The life of a temporary set: a file that its requester keeps locked, flock(2). A process that inherits the descriptor, such as a
 * command that reads the set, prolongs the lease. When the last of these processes is gone, for any reason, the kernel ends it.
 */
export class Lease {
  /** What the set's record contains about it. */
  readonly mark: LeaseMark;
  readonly fd: number;
  readonly #file: string;
  readonly #gate: WriteGate;

  constructor(file: string, fd: number, pid: number, gate: WriteGate) {
    this.#file = file;
    this.#gate = gate;
    this.fd = fd;
    this.mark = { id: path.basename(file), pid, since: new Date().toISOString() };
  }

  /** The set is gone, or is to stay. */
  async release(): Promise<void> {
    await this.#gate.write(() => {
      rmSync(this.#file, { force: true });
      closeSync(this.fd);
    });
  }

  /** The set is still there: the next sweep finds the file without a holder, and removes the set. */
  lapse(): void {
    closeSync(this.fd);
  }
}

/** The leases of the state directory, one lock file each. */
export class LeaseFiles {
  readonly #state: StateDir;
  readonly #gate: WriteGate;

  constructor(state: StateDir, gate: WriteGate) {
    this.#state = state;
    this.#gate = gate;
  }

  /** A lease of this process. */
  take(): Promise<Lease> {
    return this.#gate.write(() => {
      for (;;) {
        const file = path.join(this.#state.leases, randomUUID());
        const fd = openSync(file, "wx", 0o600);
        // Between the two, another process may have swept the file away, as one without a holder.
        if (flockExclusive(fd) && isSame(file, fd)) return new Lease(file, fd, process.pid, this.#gate);
        closeSync(fd);
      }
    });
  }

  /**
   * The lease of the process that started this one. It lasts while any process has this descriptor of a file open.
   *
   * @throws HoldstillError E_LEASE_FD
   */
  inherit(fd: number): Promise<Lease> {
    const refuse = (problem: string): never => {
      throw new HoldstillError("E_LEASE_FD", { fd, problem });
    };
    return this.#gate.write(() => {
      if (!existsSync(`/proc/self/fd/${fd}`)) refuse("it is not open, or its file is gone");
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (!fstatSync(fd).isFile()) refuse("it is not a regular file");
      if (statSync(target, { throwIfNoEntry: false })?.ino !== fstatSync(fd).ino) refuse("its file is gone");
      if (!flockExclusive(fd)) refuse(`another process has locked ${target}`);
      const file = path.join(this.#state.leases, randomUUID());
      symlinkSync(target, file);
      return new Lease(file, fd, process.ppid, this.#gate);
    });
  }

  /** Whether a process that has the lease is alive. */
  isHeld({ id }: Pick<LeaseMark, "id">): boolean {
    const fd = opened(path.join(this.#state.leases, id));
    if (fd === null) return false;
    try {
      return !flockShared(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Ids of leases without a holder. Cheap: in most runs the folder is empty. */
  expired(): string[] {
    if (!existsSync(this.#state.leases)) return [];
    return asStateError(this.#state, () => readdirSync(this.#state.leases)).filter((id) => !this.isHeld({ id }));
  }

  /** Removes the file under its lock, so that a process that is about to take the lease sees that it is gone. */
  async forget(id: string): Promise<void> {
    const file = path.join(this.#state.leases, id);
    await this.#gate.write(() => {
      const fd = opened(file);
      if (fd === null) {
        // An inherited lease is a link, and its file is gone.
        rmSync(file, { force: true });
        return;
      }
      try {
        if (flockExclusive(fd)) rmSync(file, { force: true });
      } finally {
        closeSync(fd);
      }
    });
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
