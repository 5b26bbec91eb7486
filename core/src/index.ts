/** holdstill as a library: `const holdstill = await open(); await holdstill.create({ targets: ["/srv"] })`. */
export { open } from "./engine/open.js";
export type { Requester } from "./engine/engine.js";
export type { Ended, Leftover, OpenOptions, ProviderStatus, Watching, WriterStatus } from "./engine/types.js";
export type { Plan, Request } from "./plan/plan.js";
export { HoldstillError, type Code, type Details } from "./base/errors/error.js";
export { exit, type ExitCode } from "./base/errors/exit.js";
export type { Event, Fault, Residue, SnapshotSet } from "./base/schema/types.js";
