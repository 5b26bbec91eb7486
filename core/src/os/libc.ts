import { createRequire } from "node:module";
import type * as Koffi from "koffi";
import { HoldstillError } from "../base/errors/error.js";

interface Libc {
  flock: (fd: number, operation: number) => unknown;
  exit: (code: number) => unknown;
  ioctl: Koffi.KoffiFunc<(fd: number, request: number, argument: Buffer | null) => number>;
  syncfs: Koffi.KoffiFunc<(fd: number) => number>;
  mlock: (address: bigint, length: number) => unknown;
  prctl: (option: number, value: number, ...zeros: [0, 0, 0]) => unknown;
  pipe2: (ends: number[], flags: number) => number;
  getsockopt: (fd: number, level: number, name: number, value: Buffer, length: Buffer) => unknown;
  socket: (domain: number, type: number, protocol: number) => unknown;
  sendto: (fd: number, bytes: Buffer, length: number, flags: number, address: Buffer, size: number) => unknown;
  close: (fd: number) => unknown;
  errno: () => number;
  declare: (declaration: string) => Koffi.KoffiFunc<LibcCall>;
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const EINTR = 4;
const O_CLOEXEC = 0o2000000;
const EWOULDBLOCK = 11;

let libc: Libc | undefined;

/**
 * Loads koffi and looks the functions up, so that a later call does no file I/O. Every function below does so at its first call.
 *
 * @throws HoldstillError E_NATIVE_MISSING
 */
export function preloadLibc(): void {
  libc ??= load();
}

/**
 * Takes the lock of an open file, flock(2). False: another process has it. The kernel drops it when the last descriptor of the
 * file is closed, so also when this process is killed. Throws if the file system does not support locks.
 */
export const flockExclusive = (fd: number): boolean => lock(fd, LOCK_EX);

/** Shares the lock with other readers. False: another process has it exclusively. */
export const flockShared = (fd: number): boolean => lock(fd, LOCK_SH);

function lock(fd: number, kind: number): boolean {
  const { flock, errno } = (libc ??= load());
  for (;;) {
    if (flock(fd, kind | LOCK_NB) === 0) return true;
    const error = errno();
    if (error === EWOULDBLOCK) return false;
    if (error !== EINTR) throw new Error(`flock of file descriptor ${fd} failed, errno ${error}`);
  }
}

/**
 * Ends the process at once with this code, _exit(2): no handlers, no flush. Needed while a thread hangs in a system call: then
 * `process.exit()` would wait for it forever.
 */
export function exitNow(code: number): never {
  (libc ??= load()).exit(code);
  throw new Error("_exit returned");
}

/**
 * ioctl(2) on a thread of libuv's pool, so that a call that blocks stops nothing else. Returns 0, or the errno. Until
 * then the buffer must not be touched, because the kernel may write to it.
 */
export function ioctl(fd: number, request: number, argument: Buffer | null): Promise<number> {
  const { ioctl: call } = (libc ??= load());
  return new Promise((resolve, reject) => call.async(fd, request, argument, settle(resolve, reject)));
}

/** syncfs(2) on a thread of libuv's pool: what was written to the file system reaches its disk. Returns 0, or the errno. */
export function syncfs(fd: number): Promise<number> {
  const { syncfs: call } = (libc ??= load());
  return new Promise((resolve, reject) => call.async(fd, settle(resolve, reject)));
}

/** koffi's callback. While it runs, errno is that of the call's own thread. */
function settle(resolve: (errno: number) => void, reject: (error: Error) => void) {
  return (error: unknown, result: number): void => {
    if (error !== null) reject(new Error("koffi could not make the call", { cause: error }));
    else resolve(result === -1 ? (libc?.errno() ?? 0) : 0);
  };
}

/** Returns the result of the call, or the negative errno, as the system call itself does. */
export type LibcCall = (...args: readonly (number | bigint | Uint8Array | null)[]) => number;

/** A function of libc that returns -1 on failure, by its declaration in C. It is looked up when it is first called. */
export function libcCall(declaration: string): LibcCall {
  let call: LibcCall | undefined;
  return (...args) => {
    const { declare, errno } = (libc ??= load());
    call ??= declare(declaration);
    const result = call(...args);
    return result === -1 ? -errno() : result;
  };
}

/** Keeps a range of this process's addresses in memory, mlock(2). Returns 0, or the errno. */
export function mlock(address: bigint, length: number): number {
  const { mlock: call, errno } = (libc ??= load());
  return call(address, length) === 0 ? 0 : errno();
}

/** pipe2(2): no program that is started inherits either end, unless it is passed on. */
export function closedPipe(): { read: number; write: number } {
  const { pipe2, errno } = (libc ??= load());
  const ends = [-1, -1];
  if (pipe2(ends, O_CLOEXEC) !== 0) throw new Error(`no pipe could be made, errno ${errno()}`);
  const [read = -1, write = -1] = ends;
  return { read, write };
}

/** prctl(2) with one number, for the calling thread and those that it starts later. Returns 0, or the errno. */
export function prctl(option: number, value: number): number {
  const { prctl: call, errno } = (libc ??= load());
  return call(option, value, 0, 0, 0) === 0 ? 0 : errno();
}

export interface Credentials {
  pid: number;
  uid: number;
  gid: number;
  /** The supplementary groups. */
  groups: number[];
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
const ERANGE = 34;

/** The process that connected, or listens, at the other end of a Unix socket, as it was then: unix(7), socket(7). */
export function peerCredentials(fd: number): Credentials {
  const ucred = socketOption(fd, SO_PEERCRED, 12);
  const groups = socketOption(fd, SO_PEERGROUPS, 64 * 4);
  return {
    pid: ucred.readInt32LE(0),
    uid: ucred.readUInt32LE(4),
    gid: ucred.readUInt32LE(8),
    groups: Array.from({ length: groups.length / 4 }, (_, at) => groups.readUInt32LE(at * 4)),
  };
}

function socketOption(fd: number, name: number, size: number): Buffer {
  const { getsockopt, errno } = (libc ??= load());
  const value = Buffer.alloc(size);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(size);
  if (getsockopt(fd, SOL_SOCKET, name, value, length) === 0) return value.subarray(0, length.readUInt32LE());
  // The kernel has written the size that it needs.
  if (errno() === ERANGE && length.readUInt32LE() > size) return socketOption(fd, name, length.readUInt32LE());
  throw new Error(`getsockopt ${name} of file descriptor ${fd} failed, errno ${errno()}`);
}

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;

/** Sends a datagram to a Unix socket; a name that begins with @ is in the abstract namespace. Node has no such sockets. False: it was not accepted. */
export function sendDatagram(to: string, text: string): boolean {
  const { socket, sendto, close } = (libc ??= load());
  const fd = Number(socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0));
  if (fd < 0) return false;
  const name = Buffer.from(to.replace(/^@/, "\0"));
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
  const bytes = Buffer.from(text);
  const sent = Number(sendto(fd, bytes, bytes.length, MSG_DONTWAIT_NOSIGNAL, address, address.length));
  close(fd);
  return sent === bytes.length;
}

/** Not at import: koffi takes 20 ms, and most commands do not need it. */
function load(): Libc {
  const koffi = requireKoffi();
  // Memory for calls on other threads is kept for the next call. This is the largest value: misc.md of koffi's documentation.
  koffi.config({ ...koffi.config(), resident_async_pools: 32, max_async_calls: 4096 });
  // null: the libc that the process itself is linked with, glibc or musl.
  const library = koffi.load(null);
  return {
    flock: library.func("int flock(int fd, int operation)"),
    exit: library.func("void _exit(int code)"),
    // Variadic in C; on x86-64, arm64 and riscv64 under Linux variadic arguments are passed as any others, and koffi's async requires this.
    ioctl: library.func("int ioctl(int fd, unsigned long request, void *argument)"),
    syncfs: library.func("int syncfs(int fd)"),
    mlock: library.func("int mlock(uintptr_t address, size_t length)"),
    getsockopt: library.func("int getsockopt(int fd, int level, int name, void *value, void *length)"),
    socket: library.func("int socket(int domain, int type, int protocol)"),
    sendto: library.func(
      "intptr_t sendto(int fd, void *bytes, size_t length, int flags, void *address, uint32_t size)",
    ),
    close: library.func("int close(int fd)"),
    prctl: library.func("int prctl(int option, unsigned long v, unsigned long a, unsigned long b, unsigned long c)"),
    pipe2: library.func("int pipe2(_Out_ int *ends, int flags)"),
    errno: () => koffi.errno(),
    declare: (declaration) => library.func(declaration),
  };
}

function requireKoffi(): typeof Koffi {
  try {
    return createRequire(import.meta.url)("koffi") as typeof Koffi;
  } catch (error) {
    const { message } = error as Error;
    const details = { platform: `${process.platform}-${process.arch}`, reason: message.split("\n", 1)[0] ?? message };
    throw new HoldstillError("E_NATIVE_MISSING", details, { cause: error });
  }
}
