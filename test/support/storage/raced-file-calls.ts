import { kernel, type FileCalls } from "#kit/file-calls.js";

/** These act on what a descriptor refers to, so it makes no difference whether names change before or after them. */
const byDescriptor = new Set(["status", "info", "read", "sync", "close"]);

/** The calls by which the kit's handles reach the kernel, with a hook before each that takes a name: with its number, from 0 on. */
export function hookedCalls(hook: (index: number) => void): FileCalls {
  let index = 0;
  const wrap = ([name, call]: [string, unknown]): [string, unknown] => [
    name,
    (...args: unknown[]) => {
      if (!byDescriptor.has(name)) hook(index++);
      return (call as (...args: unknown[]) => unknown)(...args);
    },
  ];
  return Object.fromEntries(Object.entries(kernel).map(wrap)) as unknown as FileCalls;
}
