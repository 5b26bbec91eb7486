import { read, write } from "node:fs";
import { promisify } from "node:util";
import { type FileCalls, kernel, O_NOCTTY, O_NONBLOCK, O_RDONLY, procPathOf } from "./file-calls.js";
import { attempt, pathFailed, pathUnsafe } from "./path-refusal.js";
import { sharedProcessId } from "./process-id.js";

export type FileType = "folder" | "file" | "symbolic link" | "FIFO" | "socket" | "block device" | "character device";

/** What stat(2) reports, of a file, folder or link itself. */
export interface FileStatus {
  readonly type: FileType;
  /** Without the type: 0o7777 at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names that the file has. */
  readonly links: number;
  readonly size: number;
  /** Device and inode: two descriptors that have the same refer to one file. */
  readonly identity: string;
  /** Number of the file system; every subvolume of a btrfs has its own. */
  readonly device: string;
}

/**
 * A file, a folder or a link itself, held by a descriptor: whatever happens to its name, this is what is acted on. Close it with
 * `using`, or with `[Symbol.dispose]()`.
 */
export class PathHandle {
  /** What it was called when it was opened; for messages only. */
  readonly path: string;
  readonly calls: FileCalls;
  /** Of the process; it may be that of another file when the handle is closed: use `fd`. */
  readonly descriptor: number;

  /** Takes over the descriptor. */
  constructor(fd: number, path: string, calls: FileCalls = kernel) {
    this.descriptor = fd;
    this.path = path;
    this.calls = calls;
  }

  get fd(): number {
    if (closed.has(this)) throw new Error(`the descriptor of ${this.path} is closed`);
    return this.descriptor;
  }

  /**
   * Leads to exactly this file or folder, in this process and until it is closed. With a name behind it, that name is looked up in
   * this folder; a link of that name is followed, so nothing but what only root can change may be opened so.
   */
  get procPath(): string {
    return procPathOf(this.fd);
  }

  /**
   * The same for another process of this user, such as a program of `ctx.exec`, which the host starts. A program that is to run as
   * another user cannot look there: see `withHandles`.
   */
  get sharedPath(): string {
    return this.procPath.replace("self", sharedProcessId());
  }

  /** @throws PluginError PATH_FAILED */
  status(): FileStatus {
    const { mode, uid, gid, nlink, size, dev, ino } = attempt("Reading", this.path, () => this.calls.status(this.fd));
    return {
      type: types[Number(mode) >> 12] ?? "file",
      mode: Number(mode) & 0o7777,
      uid: Number(uid),
      gid: Number(gid),
      links: Number(nlink),
      size: Number(size),
      identity: `${dev}:${ino}`,
      device: String(dev),
    };
  }

  /** Of the mount that it was opened through, as mountinfo has it. @throws PluginError PATH_FAILED */
  mountId(): number {
    const text = attempt("Reading", this.path, () => this.calls.info(this.fd));
    return Number(/^mnt_id:\s*(\d+)$/m.exec(text)?.[1]);
  }

  /**
   * Changes owner and group. A file with several names is refused: another user may have linked it here, and where
   * fs.protected_hardlinks is off, it may be any file of the file system. (systemd-tmpfiles does the same.)
   *
   * @throws PluginError PATH_UNSAFE, PATH_FAILED
   */
  chown(uid: number, gid: number): void {
    refuseHardLinks(this);
    attempt("Changing", this.path, () => this.calls.chown(this.procPath, uid, gid));
  }

  /** Changes the mode, under the same rule. A change of owner clears set-user-id bits, so call it after `chown`. */
  chmod(mode: number): void {
    refuseHardLinks(this);
    attempt("Changing", this.path, () => this.calls.chmod(this.procPath, mode));
  }

  /** What was written to it is on disk when this returns; of a folder, its names. @throws PluginError PATH_FAILED */
  sync(): void {
    const flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
    const fd = attempt("Flushing", this.path, () => this.calls.open(this.procPath, flags));
    using file = new PathHandle(fd, this.path, this.calls);
    attempt("Flushing", this.path, () => this.calls.sync(file.fd));
  }

  [Symbol.dispose](): void {
    if (!closed.has(this)) this.calls.close(this.release());
  }

  /** Gives the descriptor away: to another handle, which closes it. This one is closed from then on. */
  release(): number {
    const { fd } = this;
    closed.add(this);
    return fd;
  }
}

const closed = new WeakSet<PathHandle>();

function refuseHardLinks(handle: PathHandle): void {
  const { type, links, uid } = handle.status();
  if (type === "folder" || links === 1) return;
  const { path } = handle;
  throw pathUnsafe(path, uid, `it has ${links} names`, `Find the others: find / -xdev -samefile ${path}`);
}

const types: Readonly<Record<number, FileType>> = {
  0o04: "folder",
  0o10: "file",
  0o12: "symbolic link",
  0o01: "FIFO",
  0o14: "socket",
  0o06: "block device",
  0o02: "character device",
};

/** A regular file. Nothing else can be opened as one, so reading never waits for a device, a FIFO or a socket. */
export class RegularFile extends PathHandle {
  /**
   * @param handle Is closed; its type is seen before the file is opened.
   * @param flags O_RDONLY or O_RDWR
   * @throws PluginError PATH_UNSAFE for anything but a regular file, PATH_FAILED
   */
  static of(handle: PathHandle, flags: number): RegularFile {
    using owned = handle;
    const { path, calls } = owned;
    const { type, uid } = owned.status();
    if (type !== "file")
      throw pathUnsafe(path, uid, `it is a ${type}, not a regular file`, `Put a file in its place: ls -l ${path}`);
    // A lease of another process would make open(2) wait for up to 45 s without O_NONBLOCK: fcntl(2), F_SETLEASE.
    const fd = attempt("Opening", path, () => calls.open(owned.procPath, flags | O_NONBLOCK | O_NOCTTY));
    return new RegularFile(fd, path, calls);
  }

  /** The whole content, at most `maxBytes` of it: a larger file is refused. @throws PluginError PATH_UNSAFE, PATH_FAILED */
  read(maxBytes: number): Buffer {
    // Files of /proc have a size of 0, and others may grow meanwhile: so it is read to its end, and not to its size.
    const { size, uid } = this.status();
    const tooLarge = (): Error =>
      pathUnsafe(this.path, uid, `it is larger than ${maxBytes} bytes`, `Look at it: ls -l ${this.path}`);
    if (size > maxBytes) throw tooLarge();
    let bytes = Buffer.alloc(Math.min(size, maxBytes) + 1);
    for (let length = 0; ;) {
      const count = attempt("Reading", this.path, () => this.calls.read(this.fd, bytes, length));
      if (count === 0) return bytes.subarray(0, length);
      length += count;
      if (length > maxBytes) throw tooLarge();
      if (length === bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(Math.max(4096, length))]);
    }
  }

  /**
   * Writes the content into another file, which must be empty: as much as there was when the call began, so another user who keeps
   * appending cannot keep it busy. Owner, mode and holes are not copied. Both files stay open.
   *
   * @throws PluginError PATH_FAILED; the signal's reason
   */
  async copyTo(target: RegularFile, signal?: AbortSignal): Promise<void> {
    const { size } = this.status();
    const chunk = Buffer.alloc(Math.min(size, CHUNK));
    for (let done = 0; done < size;) {
      signal?.throwIfAborted();
      try {
        const { bytesRead } = await readAt(this.fd, chunk, 0, Math.min(chunk.length, size - done), done);
        if (bytesRead === 0) return;
        for (let written = 0; written < bytesRead;)
          written += (await writeAt(target.fd, chunk, written, bytesRead - written, done + written)).bytesWritten;
        done += bytesRead;
      } catch (error) {
        throw pathFailed("Copying", this.path, error);
      }
    }
  }
}

const readAt = promisify(read);
const writeAt = promisify(write);
const CHUNK = 1024 * 1024;

/**
 * The command line of a program that inherits the handles, the first as descriptor 3: it finds them at `/proc/self/fd/3` and so on,
 * also if it then runs as another user. A shell opens them anew by `sharedPath`, for reading; it can open seven.
 */
export function withHandles(
  handles: readonly PathHandle[],
  command: string,
  args: readonly string[],
): [command: "sh", args: string[]] {
  const opened = handles.map((_, index) => `${index + 3}<"\${${index + 1}}"`).join(" ");
  const script = `exec ${opened}; shift ${handles.length}; exec "$@"`;
  return ["sh", ["-c", script, "sh", ...handles.map(({ sharedPath }) => sharedPath), command, ...args]];
}
