import type { Settings } from "../base/config/settings.js";
import type { ExitCode } from "../base/errors/exit.js";
import type { RootLog } from "../base/log/log.js";
import type {
  CommandEnd,
  Component,
  EndedDocument,
  Event,
  Fault,
  ProviderDocument,
  RequesterMark,
  Snapshot,
  WriterDocument,
} from "../base/schema/types.js";
import type { BackupOutcome } from "../host/contract/writer.js";
import type { Semaphore } from "../os/semaphore.js";
import type { Records } from "../store/records.js";
import type { Store } from "../store/store.js";
import type { VolumeQueue } from "./create/volume-queue.js";

/** What is left over, and what `complete` reports, have the types of the schemas. */
export type { Completed, Leftover } from "../base/schema/types.js";

export interface OpenOptions {
  /** A config file; without it the usual places are searched. */
  config?: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Also logs to stderr, beside the config's log file. */
  log?: "stderr";
}

/** Watches an operation, and can interrupt it. */
export interface Watcher {
  onEvent?: (event: Event) => void;
  /** Abort it with a HoldstillError E_INTERRUPTED: the transaction is undone in order. */
  signal?: AbortSignal;
  /** While the set exists: its space fills up, or a snapshot is lost. Each warning comes once, with its code. */
  onWarning?: (warning: Fault) => void;
}

/** How a transaction ended. */
export interface TransactionResult extends EndedDocument {
  exitCode: ExitCode;
}

/** The result of a backup of a set, as its requester reports it. */
export interface BackupResult extends BackupOutcome {
  /** How the command of `run` ended. */
  command?: CommandEnd;
}

/** A writer that was asked: its components, or the error. */
export type WriterStatus = Omit<WriterDocument, "components" | "error"> &
  ({ components: Component[] } | { error: Fault });
/** A provider that was asked: its snapshots, or the error; both if it could not see a part of its storage. */
export type ProviderStatus = Omit<ProviderDocument, "snapshots" | "error"> &
  ({ snapshots: Snapshot[] } | { snapshots: Snapshot[]; error: Fault } | { error: Fault });
/** A provider that could not be asked, or not about all. */
export type SilentProvider = Extract<ProviderStatus, { error: Fault }>;

/** What reading the catalog needs. */
export interface CatalogContext {
  /** On whose behalf, if the service acts; null: the user who runs this process. */
  readonly requester: RequesterMark | null;
  readonly settings: Settings;
  /** null: nothing is logged. */
  readonly log: RootLog | null;
  readonly store: Records;
}

/** What plans need. */
export interface PlanContext extends CatalogContext {
  /** Plans are made a few at a time: each starts workers. */
  readonly planning: Semaphore;
}

/** What all operations of a process share: among other things the queue and the write gate. */
export interface EngineContext extends PlanContext {
  readonly store: Store;
  readonly queue: VolumeQueue;
}
