import { PluginError as KitError } from "#kit/plugin-error.js";

/** The README has a table of them. */
export type ErrorCode =
  | "BUSY"
  | "BYPASSED"
  | "DMSETUP_FAILED"
  | "EXPOSED"
  | "MOUNT"
  | "NAME_TAKEN"
  | "NO_SAFETY"
  | "NO_SPACE"
  | "OVERFLOWED"
  | "REVERTING"
  | "STORE"
  | "UNKNOWN_SNAPSHOT"
  | "UNREACHABLE"
  | "UNREADABLE"
  | "UNSUPPORTED";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;
