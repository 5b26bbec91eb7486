import { createRequire } from "node:module";
import type * as Koffi from "koffi";

interface Libc {
  flock: (fd: number, operation: number) => unknown;
  exit: (code: number) => unknown;
  errno: () => number;
}

const LOCK_EX = 2;
const LOCK_NB = 4;
const EINTR = 4;
const EWOULDBLOCK = 11;

let libc: Libc | undefined;

/** Loads koffi and looks the functions up, so that a later call does no file I/O. */
export function preloadLibc(): void {
  libc ??= load();
}

/**
 * Takes the lock of an open file, flock(2). False: somebody else has it. The kernel drops it when the last descriptor of the
 * file is closed, so also when this process is killed. Throws where the file system knows no locks.
 */
export function flockExclusive(fd: number): boolean {
  const { flock, errno } = (libc ??= load());
  for (;;) {
    if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
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

/** koffi is 20 ms and most commands need none of it: so not at import. */
function load(): Libc {
  const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
  // null: what the process itself is linked with, be it glibc or musl.
  const library = koffi.load(null);
  return {
    flock: library.func("int flock(int fd, int operation)"),
    exit: library.func("void _exit(int code)"),
    errno: () => koffi.errno(),
  };
}
