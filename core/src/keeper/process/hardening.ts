import { readFileSync, writeFileSync } from "node:fs";
import { mlock, prctl } from "../../os/libc.js";

/** linux/prctl.h, since Linux 5.6 */
const PR_SET_IO_FLUSHER = 57;

/**
 * Protects this process from the effects of a held volume or of full memory. All of it is best effort: a container or an older kernel
 * may refuse, and the rules of release hold all the same.
 */
export function hardenProcess(): void {
  // The kernel never frees memory for this process by writing to a file system, which could be one that it holds.
  attempt(() => prctl(PR_SET_IO_FLUSHER, 1));
  // proc_pid_oom_score_adj(5): it is never chosen when memory runs out, nor with its whole cgroup.
  attempt(() => writeFileSync("/proc/self/oom_score_adj", "-1000"));
}

/**
 * Keeps the program, its libraries and its data in memory, so that no page of them must be read from a volume that is held. Not
 * mlockall(2): with MCL_FUTURE V8 cannot reserve its heap.
 *
 * @throws Error when the kernel refuses
 */
export function lockFileMappings(): void {
  for (const { address, length, file } of fileMappings(readFileSync("/proc/self/maps", "utf8"))) {
    const errno = mlock(address, length);
    if (errno !== 0) throw new Error(`${file} cannot be locked in memory, errno ${errno}`);
  }
}

interface Mapping {
  address: bigint;
  length: number;
  file: string;
}

/** The readable mappings of files in proc_pid_maps(5): `from-to perms offset dev inode path`. */
export function fileMappings(maps: string): Mapping[] {
  return [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \d+ +(\/.*)$/gm)].map(([, from, to, file = ""]) => {
    const address = BigInt(`0x${from}`);
    return { address, length: Number(BigInt(`0x${to}`) - address), file };
  });
}

function attempt(work: () => unknown): void {
  try {
    work();
  } catch {
    // Best effort, see hardenProcess.
  }
}
