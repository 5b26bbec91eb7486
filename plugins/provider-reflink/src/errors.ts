import type { PathErrorCode } from "#kit/path-refusal.js";
import { PluginError as KitError } from "#kit/plugin-error.js";

export type ErrorCode =
  | "BUSY"
  | "COPY_FAILED"
  | "MOUNT"
  | "NO_SPACE"
  | "STORE"
  | "UNKNOWN_SNAPSHOT"
  | "UNREACHABLE"
  | "UNREADABLE"
  | PathErrorCode;

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;
