import { PluginError as KitError } from "#kit/plugin-error.js";

/** The README has a table of them. */
export type ErrorCode =
  | "BUSY"
  | "CEPH_FAILED"
  | "CHANGED"
  | "DENIED"
  | "EXISTS"
  | "EXPOSED"
  | "MOUNT"
  | "NOT_FOUND"
  | "NO_CLIENT"
  | "NO_SAFETY"
  | "NO_SPACE"
  | "UNKNOWN_SNAPSHOT"
  | "UNREACHABLE"
  | "UNSUPPORTED";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;
