import { PluginError as KitError } from "#kit/plugin-error.js";

/** The README has a table of them. */
export type ErrorCode =
  | "BUSY"
  | "CHANGED"
  | "DELTA_FAILED"
  | "DMSETUP_FAILED"
  | "HIDDEN"
  | "INACTIVE"
  | "INVALID"
  | "LOCKED"
  | "LVM_FAILED"
  | "MOUNT"
  | "NAME_TAKEN"
  | "NO_SAFETY"
  | "NO_SPACE"
  | "POOL_FULL"
  | "UNKNOWN_SNAPSHOT"
  | "UNREACHABLE"
  | "UNREADABLE"
  | "UNSUPPORTED";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;

/** What LVM does not see may still exist. `id` is VG/LV. */
export function groupMissing(id: string, setId: string): PluginError {
  const message = `The volume group of ${id} is not there, so it is unknown whether that still exists.`;
  const hint = `Attach its disks (\`pvs\`, \`vgs\`); if they no longer exist: holdstill delete ${setId} --forget`;
  return new PluginError("UNREACHABLE", message, hint);
}
