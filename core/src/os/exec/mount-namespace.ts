import { closeSync, openSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { HoldstillError } from "../../base/errors/error.js";
import { libcCall } from "../libc.js";
import { AT_FDCWD, AT_RECURSIVE } from "../path/flags.js";
import { kernel } from "../path/syscalls.js";

const CLONE_NEWNS = 0x20000;
const MS_SLAVE = 1 << 19;

const unshare = libcCall("int unshare(int flags)");
const setns = libcCall("int setns(int fd, int type)");
const fchdir = libcCall("int fchdir(int fd)");

/**
 * Does something synchronous in a mount namespace that this thread has for itself, and then returns to that of the process. A program that
 * is started meanwhile stays in it: no other process sees what is mounted there, and it ends with the last program in it, however that ends.
 * What is unmounted outside is also unmounted inside. unshare(2), setns(2), mount_namespaces(7).
 *
 * @throws HoldstillError E_MIRROR if this process may not make a mount namespace
 */
export function inMountNamespace<T>(work: () => T): T {
  const home = openSync("/proc/thread-self/ns/mnt", "r");
  const folder = openSync(".", "r");
  try {
    must(unshare(CLONE_NEWNS));
    try {
      must(kernel.mountSetattr(AT_FDCWD, "/", AT_RECURSIVE, { set: 0, propagation: MS_SLAVE }));
      return work();
    } finally {
      // setns(2) enters the root of the namespace.
      must(setns(home, CLONE_NEWNS));
      must(fchdir(folder));
    }
  } finally {
    closeSync(home);
    closeSync(folder);
  }
}

function must(result: number): void {
  if (result >= 0) return;
  throw new HoldstillError("E_MIRROR", { reason: `no mount namespace can be made: ${getSystemErrorName(result)}` });
}
