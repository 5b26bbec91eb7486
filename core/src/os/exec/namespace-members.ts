import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Member {
  readonly pid: number;
  /** The name that the kernel has of its program. */
  readonly program: string;
}

/** The mount namespace of this thread, as the kernel writes it: `mnt:[4026531841]`. */
export const ownNamespace = (): string => readlinkSync("/proc/thread-self/ns/mnt");

/** The processes in a mount namespace. One that has ended, or that this user may not see, is none of them. */
export function membersOf(namespace: string): Member[] {
  return readdirSync("/proc").flatMap((pid): Member[] => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      if (readlinkSync(`/proc/${pid}/ns/mnt`) !== namespace) return [];
      return [{ pid: Number(pid), program: readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd() }];
    } catch {
      return [];
    }
  });
}
