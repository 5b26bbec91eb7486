import { kernel, type Syscalls } from "#core/os/path/syscalls.js";

/** Does something before each call to the kernel: with the number of the call, from 0 on, and its name. */
export type Hook = (index: number, call: keyof Syscalls) => void;

/** The running kernel, with a hook between any two calls. */
export function hooked(hook: Hook, base: Syscalls = kernel): Syscalls {
  let index = 0;
  const wrap = (name: keyof Syscalls): unknown => {
    const call = base[name] as (...args: unknown[]) => unknown;
    return (...args: unknown[]) => {
      hook(index, name);
      index += 1;
      return call(...args);
    };
  };
  const names = Object.keys(base) as (keyof Syscalls)[];
  return Object.fromEntries(names.map((name) => [name, wrap(name)])) as unknown as Syscalls;
}

const ENOSYS = 38;
const STATX_MNT_ID = 0x1000;

/** A kernel before 5.6: without openat2(2), and without mount ids in statx(2). */
export const oldKernel: Syscalls = {
  ...kernel,
  openat2: () => -ENOSYS,
  statx: (dir, name, flags, mask, into) => {
    const result = kernel.statx(dir, name, flags, mask, into);
    const bytes = Buffer.from(into.buffer, into.byteOffset, into.length);
    bytes.writeUInt32LE(bytes.readUInt32LE(0) & ~STATX_MNT_ID, 0);
    return result;
  },
};

/** The ways in which paths are resolved: every test of them runs on both. */
export const kernels = { openat2: kernel, "by parts": oldKernel } as const;

/** What an operation costs: how often each call was made. */
export function counted(operation: (sys: Syscalls) => void): Record<string, number> {
  const counts: Record<string, number> = {};
  operation(
    hooked((_, name) => {
      counts[name] = (counts[name] ?? 0) + 1;
    }),
  );
  return counts;
}
