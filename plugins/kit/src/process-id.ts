import { readlinkSync } from "node:fs";

/**
 * The id of this process that other processes see. With `isolation: process`, a plugin is in a pid namespace of its own, in which
 * process.pid is another; /proc is that of the host. proc_self(5).
 */
export const sharedProcessId = (): string => readlinkSync("/proc/self");
