import { statSync } from "node:fs";
import path from "node:path";
import type { Exposed } from "holdstill/plugin";
import type { MappedDevice } from "./mapped-devices.js";

/** The snapshot of a raw device, as it is exposed: by device-mapper's name, which no other device gets at a later boot. */
export function shownDevice(
  original: string,
  { name, node }: MappedDevice,
  access: "read-only" | "read-write",
): Exposed {
  const named = path.join("/dev/mapper", name);
  // Where udev does not run, and in a container, the name may be missing.
  const isThere = statSync(named, { throwIfNoEntry: false })?.rdev === statSync(node).rdev;
  return { trees: [], devices: [{ original, path: isThere ? named : node }], readOnly: access === "read-only" };
}
