import { HoldstillError } from "../base/errors/error.js";
import type { SnapshotRequest } from "./plan.js";

const levels: readonly unknown[] = ["application", "filesystem", "crash", "none"];
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Checks what a caller of the library may pass. @throws HoldstillError E_USAGE */
export function checkRequest({ targets, name, tags = {}, require, lease, retainUntil }: SnapshotRequest): void {
  if (targets.length === 0)
    refuse("No target was given.", "Name at least one path, mount point, device or writer:INSTANCE.");
  if (targets.includes("")) refuse("A target is empty.", "Name a path, mount point, device or writer:INSTANCE.");
  if (require !== undefined && !levels.includes(require)) {
    refuse(`Unknown consistency \`${require}\`.`, "Levels: application, filesystem, crash, none.");
  }
  if (name !== undefined && (name === "" || name.length > 128 || name === "latest" || control.test(name))) {
    refuse("The name cannot be used.", "A name has 1 to 128 characters, no control characters, and is not `latest`.");
  }
  for (const [key, value] of Object.entries(tags)) {
    const isText = key !== "" && typeof value === "string" && !control.test(key + value);
    if (isText && key.length <= 128 && value.length <= 1024) continue;
    refuse(
      `The tag \`${JSON.stringify(key.slice(0, 128))}\` cannot be used.`,
      "A tag is KEY=VALUE, at most 128 and 1024 characters, without control characters.",
    );
  }
  if (Object.keys(tags).length > 64) refuse("There are too many tags.", "A set has at most 64 tags.");
  if (retainUntil === undefined) return;
  if (Number.isNaN(Date.parse(retainUntil))) refuse(`\`${retainUntil}\` is not a date.`, "Pass a date, ISO 8601.");
  if (lease !== undefined)
    refuse("A leased set cannot be retained.", "It lives as long as its requester: take one without a lease.");
}

function refuse(problem: string, hint: string): never {
  throw new HoldstillError("E_USAGE", { problem, hint });
}
