import { PluginError as KitError } from "#kit/plugin-error.js";

/** The README has a table of them. */
export type ErrorCode =
  | "BUSY"
  | "CHANGED"
  | "DMSETUP_FAILED"
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
  | "UNSUPPORTED";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;
