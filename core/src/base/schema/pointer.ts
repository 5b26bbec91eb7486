import { escapePointer } from "./findings.js";

/** The steps of a JSON pointer (RFC 6901). */
function stepsOf(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

export const pointerOf = (steps: readonly string[]): string => steps.map((step) => `/${escapePointer(step)}`).join("");

/** The value at the pointer; undefined: there is none. */
export function valueAt(value: unknown, pointer: string): unknown {
  return stepsOf(pointer).reduce<unknown>((inner, step) => (isNode(inner) ? inner[step] : undefined), value);
}

/** A copy with another value at the pointer. If the pointer leads to nothing, the copy is equal. */
export function withAt<T>(value: T, pointer: string, replacement: unknown): T {
  const copy = structuredClone(value);
  const steps = stepsOf(pointer);
  const last = steps.pop();
  const parent = valueAt(copy, pointerOf(steps));
  if (last !== undefined && isNode(parent) && last in parent) parent[last] = replacement;
  return copy;
}

/** A copy without the properties at the pointers. */
export function withoutAt(value: unknown, pointers: readonly string[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const pointer of pointers) {
    const steps = stepsOf(pointer);
    const last = steps.pop() ?? "";
    const parent = valueAt(copy, pointerOf(steps));
    if (isNode(parent)) delete parent[last];
  }
  return copy;
}

/** An object or a list, without inherited properties. */
function isNode(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
