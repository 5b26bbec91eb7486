import { AT_EMPTY_PATH, O_CLOEXEC, O_NOCTTY, O_NONBLOCK, O_PATH, O_RDONLY } from "./flags.js";
import { EAGAIN, EIO, pathFailed, pathUnsafe } from "./refusal.js";
import { type FileStatus, statusOf } from "./status.js";
import { kernel, procPathOf, type Syscalls } from "./syscalls.js";

const PATH_MAX = 4096;

/**
 * A file, a folder or a link itself, held by a descriptor: whatever happens to its name, this is what is acted on. Close it with
 * `using`, or with `[Symbol.dispose]()`.
 */
export class PathHandle {
  /** What it was called when it was opened; for messages only. */
  readonly path: string;
  readonly sys: Syscalls;
  #fd: number;

  /** Takes over the descriptor. */
  constructor(fd: number, path: string, sys: Syscalls = kernel) {
    this.#fd = fd;
    this.path = path;
    this.sys = sys;
  }

  /** To hand to a program: as an entry of `stdio`, which then finds it at `/proc/self/fd/INDEX`. */
  get fd(): number {
    if (this.#fd < 0) throw new Error(`the descriptor of ${this.path} is closed`);
    return this.#fd;
  }

  /**
   * Leads to exactly this file or folder, in this process and until it is closed. With a name behind it, that name is looked up in
   * this folder; a link of that name is followed, so nothing but what only root can change may be opened so.
   */
  get procPath(): string {
    return procPathOf(this.fd);
  }

  /** Where it is now, as the mount table names it. @throws HoldstillError E_PATH_FAILED */
  realPath(): string {
    const bytes = Buffer.alloc(PATH_MAX);
    const length = this.sys.readlinkat(-1, this.procPath, bytes);
    if (length < 0) throw pathFailed("Reading", this.path, length);
    return bytes.subarray(0, length).toString();
  }

  /** @throws HoldstillError E_PATH_FAILED */
  status(): FileStatus {
    return statusOf(this.sys, this.fd, this.path);
  }

  /**
   * Changes owner and group. A file with several names is refused: another user may have linked it here, and where
   * fs.protected_hardlinks is off, it may be any file of the file system. (systemd-tmpfiles does the same.)
   *
   * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
   */
  chown(uid: number, gid: number): void {
    this.#refuseHardLinks();
    const result = this.sys.fchownat(this.fd, "", uid, gid, AT_EMPTY_PATH);
    if (result < 0) throw pathFailed("Changing the owner or mode of", this.path, result);
  }

  /** Changes the mode, under the same rule. A change of owner clears set-user-id bits, so call it after `chown`. */
  chmod(mode: number): void {
    this.#refuseHardLinks();
    // fchmod(2) does not take an O_PATH descriptor, and fchmodat2(2) is of Linux 6.6.
    const result = this.sys.chmod(this.procPath, mode);
    if (result < 0) throw pathFailed("Changing the owner or mode of", this.path, result);
  }

  /** What was written to it is on disk when this returns; of a folder, its names. @throws HoldstillError E_PATH_FAILED */
  sync(): void {
    const fd = this.sys.openat(-1, this.procPath, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    if (fd < 0) throw pathFailed("Flushing", this.path, fd);
    using file = new PathHandle(fd, this.path, this.sys);
    const result = this.sys.fsync(file.fd);
    if (result < 0) throw pathFailed("Flushing", this.path, result);
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) this.sys.close(this.#fd);
    this.#fd = -1;
  }

  /** Gives the descriptor away: to another handle, which closes it. This one is closed from then on. */
  release(): number {
    const { fd } = this;
    this.#fd = -1;
    return fd;
  }

  /** Another descriptor of the same, to be closed on its own. @throws HoldstillError E_PATH_FAILED */
  duplicate(): PathHandle {
    const fd = this.sys.openat(-1, this.procPath, O_PATH | O_CLOEXEC, 0);
    if (fd < 0) throw pathFailed("Opening", this.path, fd);
    return new PathHandle(fd, this.path, this.sys);
  }

  #refuseHardLinks(): void {
    const { type, links, uid } = this.status();
    if (type === "folder" || links === 1) return;
    throw pathUnsafe(this.path, uid, `it has ${links} names`, `Find the others: find / -xdev -samefile ${this.path}`);
  }
}

/** A regular file. Nothing else can be opened as one, so reading never waits for a device, a FIFO or a socket. */
export class RegularFile extends PathHandle {
  /**
   * @param handle Is closed; its type is seen before the file is opened.
   * @param flags O_RDONLY or O_RDWR
   * @throws HoldstillError E_PATH_UNSAFE for anything but a regular file, E_PATH_FAILED
   */
  static of(handle: PathHandle, flags: number): RegularFile {
    using owned = handle;
    const { sys } = owned;
    const { type, uid } = owned.status();
    if (type !== "file")
      throw pathUnsafe(
        owned.path,
        uid,
        `it is a ${type}, not a regular file`,
        `Put a regular file in its place: ls -l ${owned.path}`,
      );
    // A lease of another process would make open(2) wait for up to 45 s without O_NONBLOCK: fcntl(2), F_SETLEASE.
    const fd = sys.openat(-1, owned.procPath, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0) throw pathFailed("Opening", owned.path, fd);
    return new RegularFile(fd, owned.path, sys);
  }

  /** The whole content, at most `maxBytes` of it: a larger file is refused. @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED */
  read(maxBytes: number): Buffer {
    // Files of /proc have a size of 0, and others may grow meanwhile: so it is read to its end, and not to its size.
    const { size, uid } = this.status();
    const tooLarge = (): Error =>
      pathUnsafe(this.path, uid, `it is larger than ${maxBytes} bytes`, `Look at it: ls -l ${this.path}`);
    if (size > maxBytes) throw tooLarge();
    let bytes = Buffer.alloc(Math.min(size, maxBytes) + 1);
    for (let length = 0; ;) {
      const count = this.sys.read(this.fd, bytes, length);
      if (count < 0) throw pathFailed("Reading", this.path, count === -EAGAIN ? -EIO : count);
      if (count === 0) return bytes.subarray(0, length);
      length += count;
      if (length > maxBytes) throw tooLarge();
      if (length === bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(Math.max(4096, length))]);
    }
  }
}
