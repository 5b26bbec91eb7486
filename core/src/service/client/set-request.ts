import { HoldstillError } from "../../base/errors/error.js";
import type { SetRequest } from "../../base/schema/types.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import { absoluteTargets } from "../../plan/targets.js";

/**
 * The document for a request. Relative paths are resolved here: the service has another working directory.
 *
 * @throws HoldstillError E_USAGE for a retention
 */
export function documentOf({
  targets,
  name,
  tags,
  require,
  includeRoot,
  repair,
  retainUntil,
}: SnapshotRequest): SetRequest {
  if (retainUntil !== undefined) {
    const problem = "The service does not retain sets.";
    throw new HoldstillError("E_USAGE", { problem, hint: "Take the set without the service, as its owner." });
  }
  return {
    targets: [...new Set(absoluteTargets(targets))],
    ...defined({ name, require, includeRoot, repair }),
    ...(tags === undefined ? {} : { tags }),
  };
}

export function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
