import { PluginError as KitError } from "#kit/plugin-error.js";

/** The README has a table of them. */
export type ErrorCode =
  | "CGROUP_AMBIGUOUS"
  | "CGROUP_EMPTY"
  | "CGROUP_FROZEN"
  | "CGROUP_MISSING"
  | "CGROUP_OURS"
  | "CGROUP_RIGHTS"
  | "CGROUP_RUNNING"
  | "CGROUP_SET"
  | "CGROUP_STUCK"
  | "CGROUP_V2_MISSING";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;
