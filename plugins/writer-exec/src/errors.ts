import { PluginError as KitError } from "#kit/plugin-error.js";

/** The README has a table of them. */
export type ErrorCode = "HOOK_CONFIG" | "HOOK_FAILED" | "HOOK_HUNG" | "HOOK_MISSING" | "NOT_FROZEN" | "NOT_THAWED";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;
