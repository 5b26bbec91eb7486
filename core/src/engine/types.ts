import type { Settings } from "../base/config/settings.js";
import type { Catalog } from "../store/catalog.js";
import type { StateDir } from "../store/state-directory.js";
import type { Who } from "../base/errors/details.js";
import type { ExitCode } from "../base/errors/exit.js";
import type { RootLog } from "../base/log/log.js";
import type { ResolvedPlugin } from "../host/manifest/resolution.js";
import type {
  Component,
  DetectedServer,
  Event,
  Fault,
  LastTime,
  RequesterMark,
  Residue,
  Snapshot,
  SnapshotSet,
  Span,
} from "../base/schema/types.js";
import type { Semaphore } from "../os/semaphore.js";
import type { WriteGate } from "../store/write-gate.js";
import type { VolumeQueue } from "./create/volume-queue.js";

/** What is left over, and what `complete` reports, have the types of the schemas. */
export type { Completed, Leftover } from "../base/schema/types.js";

export interface OpenOptions {
  /** A config file; without it the usual places are searched. */
  config?: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Logs to stderr too, beside the config's log file. */
  log?: "stderr";
}

/** Who watches an operation, and may interrupt it. */
export interface Watcher {
  onEvent?: (event: Event) => void;
  /** Abort it with a HoldstillError E_INTERRUPTED: the transaction is undone in order. */
  signal?: AbortSignal;
  /** While the set lives: its room fills up, or a snapshot is lost. Each is told once, with its code. */
  onWarning?: (warning: Fault) => void;
}

/** How a transaction ended. */
export interface TransactionResult {
  outcome: "created" | "degraded" | "aborted" | "interrupted" | "broken";
  exitCode: ExitCode;
  set: SnapshotSet | null;
  error: Fault | null;
  residue: Residue[];
  timeline: Span[];
}

export type WriterStatus = {
  who: Who;
  policy: ResolvedPlugin["policy"];
  /** null: it never took part. */
  last: LastTime | null;
  /** Servers whose data directory belongs to this writer. */
  servers: DetectedServer[];
} & ({ components: Component[] } | { error: Fault });
export type ProviderStatus = { who: Who } & ({ snapshots: Snapshot[] } | { error: Fault });
/** A provider that did not say what it has. */
export type SilentProvider = Extract<ProviderStatus, { error: Fault }>;

/** What all operations share. */
export interface EngineContext {
  readonly settings: Settings;
  readonly state: StateDir;
  readonly catalog: Catalog;
  /** null: nothing is logged. */
  readonly log: RootLog | null;
  /** On whose behalf; null: whoever runs this process. */
  readonly requester: RequesterMark | null;
  /** Plans are made a few at a time: each starts workers. */
  readonly planning: Semaphore;
  readonly queue: VolumeQueue;
  readonly writeGate: WriteGate;
}
