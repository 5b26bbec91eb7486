/** holdstill as a library: `const holdstill = await open(); await holdstill.create({ targets: ["/srv"] })`. */
export { openEngine as open } from "./engine/engine.js";
export type { Engine } from "./engine/engine.js";
export type {
  TransactionResult,
  Leftover,
  OpenOptions,
  ProviderStatus,
  Watcher,
  WriterStatus,
} from "./engine/types.js";
export type { Plan, SnapshotRequest } from "./plan/plan.js";
export { HoldstillError, type Code, type Details } from "./base/errors/error.js";
export { exit, type ExitCode } from "./base/errors/exit.js";
export type { Event, Fault, Residue, SnapshotSet } from "./base/schema/types.js";
