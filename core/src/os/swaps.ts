import { existsSync, readFileSync } from "node:fs";
import type { BlockDevice } from "../base/schema/types.js";
import { devicesBelowNode } from "./blockdevices.js";

/** A line of /proc/swaps; `devices` is empty for a swap file. */
export interface Swap {
  readonly path: string;
  readonly devices: readonly BlockDevice[];
}

/** proc(5): a line of titles, then `path type size used priority`; a space in a path is written as \040. */
export function readSwaps(file = "/proc/swaps"): Swap[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n").slice(1);
  return lines.map((line) => {
    const named = (line.split(/\s/, 1)[0] ?? "").replaceAll(String.raw`\040`, " ");
    return { path: named, devices: devicesBelowNode(named) };
  });
}
