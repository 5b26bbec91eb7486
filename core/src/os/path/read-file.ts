import { AT_FDCWD, O_CLOEXEC, O_PATH, O_RDONLY } from "./flags.js";
import { PathHandle, RegularFile } from "./handle.js";
import { pathFailed } from "./refusal.js";
import type { FileStatus } from "./status.js";
import { kernel, type Syscalls } from "./syscalls.js";

export interface FileContent {
  readonly bytes: Buffer;
  /** Of the very file that was read: what its owner and mode say holds for these bytes. */
  readonly status: FileStatus;
}

/**
 * Reads a file that a person or a plugin named: a manifest, a config, a lock file, a secret, a record. Anything but a regular file is
 * refused before it is opened, and so never waited for; so is one that is larger than it may be. Links are followed, by the
 * kernel's rules: a path that another user must not influence is opened with `walkTo`, or below a folder with `FolderHandle.file`.
 *
 * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
 */
export function readRegularFile(path: string, maxBytes: number, sys: Syscalls = kernel): FileContent {
  return readHandle(openNamed(path, sys), maxBytes);
}

/** Refers to what a person or a plugin named, without opening it. Links are followed, by the kernel's rules. @throws HoldstillError E_PATH_FAILED */
export function openNamed(path: string, sys: Syscalls = kernel): PathHandle {
  const fd = sys.openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
  if (fd < 0) throw pathFailed("Opening", path, fd);
  return new PathHandle(fd, path, sys);
}

/** The same of what was opened safely. The handle is closed. */
export function readHandle(handle: PathHandle, maxBytes: number): FileContent {
  using file = handle instanceof RegularFile ? handle : RegularFile.of(handle, O_RDONLY);
  const bytes = file.read(maxBytes);
  return { bytes, status: file.status() };
}
