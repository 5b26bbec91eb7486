import { readdirSync, statSync } from "node:fs";

/** The numbers of all processes that this one sees. */
export function processes(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** undefined: the process ended meanwhile, or belongs to another user. */
export function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Whether both paths lead to one file: a path has another meaning in another mount namespace, a device and an inode have not. */
export function sameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((file) => tryTo(() => statSync(file, { bigint: true })));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
