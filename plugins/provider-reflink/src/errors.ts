import { PluginError as KitError } from "#kit/plugin-error.js";

/** The README has a table of them. */
export type ErrorCode = "BUSY" | "COPY_FAILED" | "MOUNT" | "NO_SPACE" | "STORE" | "UNKNOWN_SNAPSHOT" | "UNREADABLE";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;
