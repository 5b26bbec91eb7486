import { PluginError as KitError } from "#kit/plugin-error.js";

/** The README has a table of them. */
export type ErrorCode =
  | "BTRFS_FAILED"
  | "BUSY"
  | "CHANGED"
  | "MOUNT"
  | "MOVED"
  | "NO_SAFETY"
  | "NO_SPACE"
  | "TARGET_CHANGED"
  | "UNKNOWN_SNAPSHOT"
  | "UNREACHABLE"
  | "UNSUPPORTED";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;
