import { LONGEST_LINE } from "./host/output.js";

/** The limit of a result: characters of its texts and names, and 8 for each value, 128 for a list or an object: a schema may find several
 * errors in each. */
export const ANSWER_LIMIT = 4 * 1024 * 1024;
/** How deep lists and objects may be nested in a result. What checks, stores and shows results goes through them by recursion. */
export const DEPTH_LIMIT = 100;

/** Why a value is not a result: what was found there, and what a result has in its place. */
export interface Unfit {
  pointer: string;
  seen: string;
  expected: string;
}

/** A result that is too large. */
export const tooLarge: Unfit = {
  pointer: "",
  seen: "more",
  expected: `a result of at most ${ANSWER_LIMIT / 1024 / 1024} MiB; write larger data to a file`,
};

/**
 * The first part of a value that a result must not have; null: it may be one. Looking takes no longer than the limit allows, whatever
 * the value is. What is in it twice counts twice, as in its JSON, and so does each gap of a list.
 */
export function firstUnfit(value: unknown, limit = ANSWER_LIMIT): Unfit | null {
  let left = limit;
  const look = (one: unknown, pointer: string, parents: readonly object[]): Unfit | null => {
    left -= typeof one === "string" ? one.length + 8 : typeof one === "object" && one !== null ? 128 : 8;
    if (left < 0) return tooLarge;
    if (one === null || typeof one === "string" || typeof one === "boolean") return null;
    if (typeof one === "number") return Number.isFinite(one) ? null : foreign(pointer, String(one));
    // A property that is undefined counts as absent.
    if (typeof one !== "object") return one === undefined ? null : foreign(pointer, typeof one);
    if (parents.includes(one)) return foreign(pointer, "a circle");
    if (parents.length === DEPTH_LIMIT)
      return { pointer, seen: "more", expected: `a result nested at most ${DEPTH_LIMIT} deep` };
    const within = [...parents, one];
    if (Array.isArray(one)) {
      if (one.length * 8 > left) return tooLarge;
      for (const [index, child] of one.entries()) {
        const found = look(child, `${pointer}/${index}`, within);
        if (found !== null) return found;
      }
      return null;
    }
    if (Object.prototype.toString.call(one) !== "[object Object]")
      return foreign(pointer, one.constructor?.name ?? "an object that is not plain");
    for (const name in one) {
      left -= name.length;
      const found = left < 0 ? tooLarge : look((one as Record<string, unknown>)[name], `${pointer}/${name}`, within);
      if (found !== null) return found;
    }
    return null;
  };
  const found = look(value, "", []);
  return found && { ...found, pointer: found.pointer.slice(0, LONGEST_LINE) };
}

/** Whether what was read from JSON is nested deeper than this. */
export function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth === 0) return true;
  const children: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return children.some((child) => isDeeper(child, depth - 1));
}

const foreign = (pointer: string, seen: string): Unfit => ({ pointer, seen, expected: "a JSON value" });
