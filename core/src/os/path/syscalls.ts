import { readdirSync, readFileSync, readSync, statfsSync } from "node:fs";
import { constants as os } from "node:os";
import { type LibcCall, libcCall } from "../libc.js";

/** A name as the kernel has it: bytes. It is text wherever it is UTF-8. */
export type FileName = string | Uint8Array;

/** struct open_how of openat2(2). */
export interface OpenHow {
  readonly flags: number;
  /** RESOLVE_*. */
  readonly resolve: number;
}

/** struct mount_attr of mount_setattr(2), as far as it is used. */
export interface MountAttributes {
  /** MOUNT_ATTR_* to set. */
  readonly set: number;
  /** MS_PRIVATE and the like; 0 keeps it. */
  readonly propagation: number;
}

/**
 * Every call that this folder makes to the kernel goes through this table. A call returns its result or the negative errno, and
 * never throws. Tests put a table in its place that changes the files between two calls, and one without openat2.
 */
export interface Syscalls {
  openat(dir: number, name: FileName, flags: number, mode: number): number;
  openat2(dir: number, name: FileName, how: OpenHow): number;
  statx(dir: number, name: FileName, flags: number, mask: number, into: Uint8Array): number;
  readlinkat(dir: number, name: FileName, into: Uint8Array): number;
  mkdirat(dir: number, name: FileName, mode: number): number;
  symlinkat(target: FileName, dir: number, name: FileName): number;
  unlinkat(dir: number, name: FileName, flags: number): number;
  renameat2(fromDir: number, from: FileName, toDir: number, to: FileName, flags: number): number;
  fchownat(dir: number, name: FileName, uid: number, gid: number, flags: number): number;
  chmod(path: string, mode: number): number;
  getxattr(path: string, name: string, into: Uint8Array): number;
  listxattr(path: string, into: Uint8Array): number;
  read(fd: number, into: Uint8Array, offset: number): number;
  /** getdents64(2): the names in an open folder, without `.` and `..`. */
  names(path: string): Buffer[] | number;
  /** The text of /proc/self/fdinfo/FD, proc_pid_fdinfo(5). */
  fdinfo(fd: number): string | number;
  fsync(fd: number): number;
  close(fd: number): number;
  openTree(dir: number, name: FileName, flags: number): number;
  mountSetattr(dir: number, name: FileName, flags: number, attributes: MountAttributes): number;
  moveMount(fromDir: number, from: FileName, toDir: number, to: FileName, flags: number): number;
  fsopen(type: string, flags: number): number;
  fsconfig(fd: number, command: number, key: string | null, value: string | null): number;
  fsmount(fd: number, flags: number, attributes: number): number;
  umount2(path: string, flags: number): number;
}

/** Numbers of system calls that older libcs do not wrap. From 5.1 on they are the same on every architecture, but for alpha and mips. */
const number = {
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  openat2: 437,
  mount_setattr: 442,
} as const;

const direct = (parameters: string): LibcCall => libcCall(`long syscall(long number, ${parameters})`);

const openat = libcCall("int openat(int dir, const void *name, int flags, uint32_t mode)");
const openat2 = direct("int dir, const void *name, const void *how, size_t size");
const statx = libcCall("int statx(int dir, const void *name, int flags, unsigned int mask, void *into)");
const readlinkat = libcCall("intptr_t readlinkat(int dir, const void *name, void *into, size_t size)");
const mkdirat = libcCall("int mkdirat(int dir, const void *name, uint32_t mode)");
const symlinkat = libcCall("int symlinkat(const void *target, int dir, const void *name)");
const unlinkat = libcCall("int unlinkat(int dir, const void *name, int flags)");
const renameat2 = libcCall(
  "int renameat2(int fromDir, const void *from, int toDir, const void *to, unsigned int flags)",
);
const fchownat = libcCall("int fchownat(int dir, const void *name, uint32_t uid, uint32_t gid, int flags)");
const chmod = libcCall("int chmod(const void *path, uint32_t mode)");
const getxattr = libcCall("intptr_t getxattr(const void *path, const void *name, void *into, size_t size)");
const listxattr = libcCall("intptr_t listxattr(const void *path, void *into, size_t size)");
const fsync = libcCall("int fsync(int fd)");
const close = libcCall("int close(int fd)");
const openTree = direct("int dir, const void *name, unsigned int flags");
const mountSetattr = direct("int dir, const void *name, unsigned int flags, const void *attributes, size_t size");
const moveMount = direct("int fromDir, const void *from, int toDir, const void *to, unsigned int flags");
const fsopen = direct("const void *type, unsigned int flags");
const fsconfig = direct("int fd, unsigned int command, const void *key, const void *value, int aux");
const fsmount = direct("int fd, unsigned int flags, unsigned int attributes");
const umount2 = libcCall("int umount2(const void *path, int flags)");

/** The running kernel. */
export const kernel: Syscalls = {
  openat: (dir, name, flags, mode) => openat(dir, cString(name), flags, mode),
  openat2: (dir, name, { flags, resolve }) =>
    openat2(number.openat2, dir, cString(name), u64s(flags, 0, resolve), 3 * 8),
  statx: (dir, name, flags, mask, into) => statx(dir, cString(name), flags, mask, into),
  readlinkat: (dir, name, into) => readlinkat(dir, cString(name), into, into.length),
  mkdirat: (dir, name, mode) => mkdirat(dir, cString(name), mode),
  symlinkat: (target, dir, name) => symlinkat(cString(target), dir, cString(name)),
  unlinkat: (dir, name, flags) => unlinkat(dir, cString(name), flags),
  renameat2: (fromDir, from, toDir, to, flags) => renameat2(fromDir, cString(from), toDir, cString(to), flags),
  fchownat: (dir, name, uid, gid, flags) => fchownat(dir, cString(name), uid, gid, flags),
  chmod: (path, mode) => chmod(cString(path), mode),
  getxattr: (path, name, into) => getxattr(cString(path), cString(name), into, into.length),
  listxattr: (path, into) => listxattr(cString(path), into, into.length),
  read: (fd, into, offset) => resultOf(() => readSync(fd, into, { offset, length: into.length - offset })),
  names: (path) => resultOf(() => readdirSync(path, { encoding: "buffer" })),
  fdinfo: (fd) => resultOf(() => readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")),
  fsync: (fd) => fsync(fd),
  close: (fd) => close(fd),
  openTree: (dir, name, flags) => openTree(number.open_tree, dir, cString(name), flags),
  mountSetattr: (dir, name, flags, { set, propagation }) =>
    mountSetattr(number.mount_setattr, dir, cString(name), flags, u64s(set, 0, propagation, 0), 4 * 8),
  moveMount: (fromDir, from, toDir, to, flags) =>
    moveMount(number.move_mount, fromDir, cString(from), toDir, cString(to), flags),
  fsopen: (type, flags) => fsopen(number.fsopen, cString(type), flags),
  fsconfig: (fd, command, key, value) =>
    fsconfig(
      number.fsconfig,
      fd,
      command,
      key === null ? null : cString(key),
      value === null ? null : cString(value),
      0,
    ),
  fsmount: (fd, flags, attributes) => fsmount(number.fsmount, fd, flags, attributes),
  umount2: (path, flags) => umount2(cString(path), flags),
};

const PROC_SUPER_MAGIC = 0x9fa0;
let isProcChecked = false;

/**
 * The path that leads to exactly what a descriptor of this process refers to, proc_pid_fd(5). Another user cannot change that link, as long
 * as /proc is the kernel's, which is checked once.
 */
export function procPathOf(fd: number): string {
  if (!isProcChecked && statfsSync("/proc/self/fd").type !== PROC_SUPER_MAGIC)
    throw new Error("/proc is not mounted: mount -t proc proc /proc");
  isProcChecked = true;
  return `/proc/self/fd/${fd}`;
}

/** Ends with a zero, so it must have none: the kernel would see another name than its caller. */
function cString(name: FileName): Buffer {
  const bytes = Buffer.concat([Buffer.from(name), Buffer.of(0)]);
  if (bytes.indexOf(0) !== bytes.length - 1) throw new TypeError(`a name with a zero byte: ${JSON.stringify(name)}`);
  return bytes;
}

function u64s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [at, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), at * 8);
  return bytes;
}

/** What node:fs throws, as the kernel returned it. */
function resultOf<T>(call: () => T): T | number {
  try {
    return call();
  } catch (error) {
    return (error as NodeJS.ErrnoException).errno ?? -os.errno.EIO;
  }
}
