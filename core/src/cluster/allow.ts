/** What of a host others may have captured. Pure. */

/**
 * The targets that are not allowed. A path allows itself and what is below it; a writer allows itself alone. Targets are compared as
 * text: what a symlink leads to has to be allowed by its own path.
 */
export function notAllowed(targets: readonly string[], allow: readonly string[]): string[] {
  return targets.filter((target) => !allow.some((one) => covers(one, target)));
}

function covers(allowed: string, target: string): boolean {
  if (allowed === target) return isPlain(target);
  if (!allowed.startsWith("/") || !target.startsWith("/")) return false;
  return isPlain(target) && target.startsWith(allowed.endsWith("/") ? allowed : `${allowed}/`);
}

/** A writer, or an absolute path in which no part leads upward. */
const isPlain = (target: string): boolean =>
  target.startsWith("writer:") || (target.startsWith("/") && !target.split("/").includes(".."));
