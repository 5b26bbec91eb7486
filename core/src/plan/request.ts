import { HoldstillError } from "../base/errors/error.js";
import type { SnapshotRequest } from "./plan.js";

const levels: readonly unknown[] = ["application", "filesystem", "crash"];
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Checks what a caller of the library may pass. @throws HoldstillError E_USAGE */
export function checkRequest({ targets, name, tags = {}, require }: SnapshotRequest): void {
  if (targets.length === 0)
    refuse("No target was given.", "Name at least one path, mount point, device or writer:INSTANCE.");
  if (targets.includes("")) refuse("A target is empty.", "Name a path, mount point, device or writer:INSTANCE.");
  if (require !== undefined && !levels.includes(require)) {
    refuse(`Unknown consistency \`${require}\`.`, "Levels: application, filesystem, crash.");
  }
  if (name !== undefined && (name === "" || name.length > 128 || name === "latest" || control.test(name))) {
    refuse("The name cannot be used.", "A name has 1 to 128 characters, no control characters, and is not `latest`.");
  }
  for (const [key, value] of Object.entries(tags)) {
    if (key !== "" && typeof value === "string" && !control.test(key + value)) continue;
    refuse(
      `The tag \`${JSON.stringify(key)}\` cannot be used.`,
      "A tag is KEY=VALUE, text without control characters.",
    );
  }
}

function refuse(problem: string, hint: string): never {
  throw new HoldstillError("E_USAGE", { problem, hint });
}
