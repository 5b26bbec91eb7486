import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  statfsSync,
  unlinkSync,
} from "node:fs";

/** The calls by which handles reach the kernel. Tests put a table in their place that changes the files between any two. */
export const kernel = {
  open: (name: string | Buffer, flags: number, mode?: number) => openSync(name, flags, mode),
  close: (fd: number) => closeSync(fd),
  status: (fd: number) => fstatSync(fd, { bigint: true }),
  /** The text of /proc/self/fdinfo/FD, proc_pid_fdinfo(5). */
  info: (fd: number) => readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"),
  read: (fd: number, into: Buffer, offset: number) => readSync(fd, into, { offset }),
  names: (folder: string) => readdirSync(folder, { encoding: "buffer" }),
  linkTarget: (name: string | Buffer) => readlinkSync(name, { encoding: "buffer" }),
  mkdir: (name: string | Buffer, mode: number) => mkdirSync(name, { mode }),
  chmod: (name: string, mode: number) => chmodSync(name, mode),
  chown: (name: string, uid: number, gid: number) => chownSync(name, uid, gid),
  unlink: (name: string | Buffer) => unlinkSync(name),
  rmdir: (name: string | Buffer) => rmdirSync(name),
  rename: (from: string | Buffer, to: string | Buffer) => renameSync(from, to),
  sync: (fd: number) => fsyncSync(fd),
};
export type FileCalls = typeof kernel;

/** A reference to a file or folder: nothing is opened, so neither a device nor a FIFO notices it. open(2). */
export const O_PATH = 0o10000000;
export const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;

const PROC_SUPER_MAGIC = 0x9fa0;
let isProcChecked = false;

/**
 * The path that leads to exactly what a descriptor of this process refers to, proc_pid_fd(5). Another user cannot change that link, as
 * long as /proc is the kernel's, which is checked once.
 */
export function procPathOf(fd: number): string {
  if (!isProcChecked && statfsSync("/proc/self/fd").type !== PROC_SUPER_MAGIC)
    throw new Error("/proc is not mounted: mount -t proc proc /proc");
  isProcChecked = true;
  return `/proc/self/fd/${fd}`;
}
