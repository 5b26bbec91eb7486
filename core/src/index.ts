/** holdstill as a library: `const holdstill = await open(); await holdstill.create({ targets: ["/srv"] })`. */
export { open } from "./requester/open.js";
export type { Requester } from "./requester/requester.js";
export type { Ended, Leftover, OpenOptions, ProviderStatus, Watching, WriterStatus } from "./requester/types.js";
export type { Plan, Request } from "./plan/plan.js";
export { HoldstillError, type Code, type Details } from "./errors/error.js";
export { exit, type ExitCode } from "./errors/exit.js";
export type { Event, Fault, Residue, SnapshotSet } from "./schema/types.js";
