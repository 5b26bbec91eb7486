import { realpathSync } from "node:fs";
import path from "node:path";
import { isWithin } from "../os/mounts.js";

/** `/x/*`: the directory stays, and its content is left out. */
const CONTENT = "/*";

/** Paths and exclusions of one request, resolved. */
interface Wish {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
}

/** An exclusion without symbolic links in its path. It may name a file that does not exist. A link itself is excluded, not its target. */
export function resolveExclude(entry: string): string {
  if (entry.endsWith(CONTENT)) return path.join(realIfThere(bare(entry)), "*");
  const normal = path.normalize(entry);
  return path.join(realIfThere(path.dirname(normal)), path.basename(normal));
}

/** Whether an exclusion applies: it covers no requested path, and every request that captures the place has it. */
export function isExclusionAgreed(entry: string, wishes: readonly Wish[]): boolean {
  const asked = wishes.flatMap((wish) => wish.paths).some((target) => leavesOut(entry, target));
  const concerned = wishes.filter((wish) => wish.paths.some((captured) => isWithin(bare(entry), captured)));
  return !asked && concerned.every((wish) => wish.exclude.some((other) => other === entry || leavesOut(other, entry)));
}

/** The path is not captured because of the exclusion. */
export function leavesOut(entry: string, target: string): boolean {
  return entry.endsWith(CONTENT) ? target !== bare(entry) && isWithin(target, bare(entry)) : isWithin(target, entry);
}

function bare(entry: string): string {
  return entry.endsWith(CONTENT) ? path.normalize(entry.slice(0, -CONTENT.length) || "/") : entry;
}

function realIfThere(dir: string): string {
  try {
    return realpathSync(dir);
  } catch {
    return dir;
  }
}
