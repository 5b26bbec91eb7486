import { PluginError as KitError } from "#kit/plugin-error.js";

/** The README has a table of them. */
export type ErrorCode =
  | "BUSY"
  | "DENIED"
  | "DRIVER_FAILED"
  | "EXPOSED"
  | "INTERRUPTED"
  | "MOUNT"
  | "NAME_TAKEN"
  | "NOT_FOUND"
  | "NOT_READY"
  | "NO_SPACE"
  | "PENDING"
  | "REFUSED"
  | "STORE"
  | "TIMED_OUT"
  | "UNKNOWN_SNAPSHOT"
  | "UNREACHABLE"
  | "UNSUPPORTED";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;
