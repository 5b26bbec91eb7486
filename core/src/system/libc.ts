import { createRequire } from "node:module";
import type * as Koffi from "koffi";

interface Libc {
  flock: (fd: number, operation: number) => unknown;
  exit: (code: number) => unknown;
  ioctl: Koffi.KoffiFunc<(fd: number, request: number, argument: Buffer | null) => number>;
  syncfs: Koffi.KoffiFunc<(fd: number) => number>;
  mlock: (address: bigint, length: number) => unknown;
  prctl: (option: number, value: number, ...zeros: [0, 0, 0]) => unknown;
  pipe2: (ends: number[], flags: number) => number;
  errno: () => number;
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const EINTR = 4;
const O_CLOEXEC = 0o2000000;
const EWOULDBLOCK = 11;

let libc: Libc | undefined;

/** Loads koffi and looks the functions up, so that a later call does no file I/O. Throws where koffi has no build for. */
export function preloadLibc(): void {
  libc ??= load();
}

/**
 * Takes the lock of an open file, flock(2). False: somebody else has it. The kernel drops it when the last descriptor of the
 * file is closed, so also when this process is killed. Throws where the file system knows no locks.
 */
export const flockExclusive = (fd: number): boolean => lock(fd, LOCK_EX);

/** The same, beside others that only look: false means that somebody has it for himself alone. */
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
 * `process.exit()` waits for it for ever.
 */
export function exitNow(code: number): never {
  (libc ??= load()).exit(code);
  throw new Error("_exit returned");
}

/**
 * ioctl(2) on a thread of libuv's pool, so that a call that blocks stops nobody but itself. Answers 0, or the errno. The
 * buffer, which the kernel may write to, must not be touched before.
 */
export function ioctl(fd: number, request: number, argument: Buffer | null): Promise<number> {
  const { ioctl: call } = (libc ??= load());
  return new Promise((resolve, reject) => call.async(fd, request, argument, settle(resolve, reject)));
}

/** syncfs(2) on a thread of libuv's pool: what was written to the file system reaches its disk. Answers 0, or the errno. */
export function syncfs(fd: number): Promise<number> {
  const { syncfs: call } = (libc ??= load());
  return new Promise((resolve, reject) => call.async(fd, settle(resolve, reject)));
}

/** koffi's callback: it sets errno to that of the call's own thread for as long as the callback runs. */
function settle(resolve: (errno: number) => void, reject: (error: Error) => void) {
  return (error: unknown, result: number): void => {
    if (error !== null) reject(new Error("koffi could not make the call", { cause: error }));
    else resolve(result === -1 ? (libc?.errno() ?? 0) : 0);
  };
}

/** Keeps a range of this process's addresses in memory, mlock(2). Answers 0, or the errno. */
export function mlock(address: bigint, length: number): number {
  const { mlock: call, errno } = (libc ??= load());
  return call(address, length) === 0 ? 0 : errno();
}

/** pipe2(2): both ends are closed in every program that is started, except where one is handed over. */
export function closedPipe(): { read: number; write: number } {
  const { pipe2, errno } = (libc ??= load());
  const ends = [-1, -1];
  if (pipe2(ends, O_CLOEXEC) !== 0) throw new Error(`no pipe could be made, errno ${errno()}`);
  const [read = -1, write = -1] = ends;
  return { read, write };
}

/** prctl(2) with one number, for the calling thread and those that it starts later. Answers 0, or the errno. */
export function prctl(option: number, value: number): number {
  const { prctl: call, errno } = (libc ??= load());
  return call(option, value, 0, 0, 0) === 0 ? 0 : errno();
}

/** koffi is 20 ms and most commands need none of it: so not at import. */
function load(): Libc {
  const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
  // Memory for calls on other threads is kept for the next one: its largest value, misc.md of koffi's documentation.
  koffi.config({ ...koffi.config(), resident_async_pools: 32, max_async_calls: 4096 });
  // null: what the process itself is linked with, be it glibc or musl.
  const library = koffi.load(null);
  return {
    flock: library.func("int flock(int fd, int operation)"),
    exit: library.func("void _exit(int code)"),
    // Variadic in C; on x86-64, arm64 and riscv64 under Linux such arguments go as any others, and koffi's async needs it so.
    ioctl: library.func("int ioctl(int fd, unsigned long request, void *argument)"),
    syncfs: library.func("int syncfs(int fd)"),
    mlock: library.func("int mlock(uintptr_t address, size_t length)"),
    prctl: library.func("int prctl(int option, unsigned long v, unsigned long a, unsigned long b, unsigned long c)"),
    pipe2: library.func("int pipe2(_Out_ int *ends, int flags)"),
    errno: () => koffi.errno(),
  };
}
