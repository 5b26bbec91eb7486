/**
 * What a transaction needs of the host that runs it. One host hands in its own store and its own keeper; for a set of several hosts
 * others can take their place.
 */
import type { LimitsMs } from "../base/config/settings.js";
import type { Who } from "../base/errors/details.js";
import type { Emit } from "../base/events/emit.js";
import type {
  ExposedDevice,
  Fault,
  JournalEntry,
  RecordedHold,
  RecordedSidecar,
  Sidecar,
  SnapshotSet,
  Span,
  Volume,
  VolumeOwner,
} from "../base/schema/types.js";
import type { Rendezvous } from "../cluster/rendezvous.js";
import type { PluginWorkers } from "../host/plugin-workers.js";
import type { KeeperSection } from "./state.js";

/** Where each action is written down before it happens. */
export interface TransactionJournal {
  /** Resolves when the line is on disk; while this transaction holds volumes, when it is kept. @throws if it could not be written */
  write(entry: JournalEntry): Promise<void>;
}

/** Takes volumes, so that one transaction at a time runs on each. */
export interface VolumeLocker {
  /**
   * @param onQueued Called once per volume that another transaction owns.
   * @throws HoldstillError E_VOLUME_BUSY after `limitMs`, naming the owner; the reason with which `signal` was aborted.
   */
  take(
    volumes: readonly string[],
    transaction: string,
    options: {
      readonly limitMs: number;
      readonly onQueued: (volume: string, owner: VolumeOwner) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<{ release(): void }>;
}

/** What is to be held, and done meanwhile. */
export interface HoldRequest extends KeeperSection {
  /** From the first hold to the last release, ms. */
  readonly limitMs: number;
  /** Allows volumes that carry `/`, holdstill itself, or its state. */
  readonly includeRoot: boolean;
  readonly volumes: readonly Volume[];
}

/** Holds the volumes. Each step comes at most once, in this order; disarm always comes last. */
export interface Holder {
  /** @throws HoldstillError E_HOLD_REFUSED, E_HOLD_FAILED, E_KEEPER */
  arm(request: HoldRequest): Promise<void>;
  /** @throws HoldstillError E_HOLD_BUSY, E_HOLD_FAILED, E_HOLD_LATE, E_HOLD_LAPSED, E_KEEPER */
  hold(limitMs: number): Promise<void>;
  /** @returns Why the snapshots do not share one instant; null: everything was held until now. */
  release(): Promise<Fault | null>;
  /** Never rejects. */
  disarm(): Promise<void>;
  /** What the set's record contains about the hold. @param startedAt Start of the transaction, CLOCK_MONOTONIC, ms. */
  record(startedAt: number): RecordedHold | null;
}

/** Keeps this process from waiting for a volume that it holds itself. */
export interface HoldGate {
  /** Resolves when nothing of this process is on its way to disk any more, or after 1 s. From now on events and lines are kept. */
  suspend(): Promise<void>;
  /** Reports and writes what was kept. @returns Why a line could not be written. */
  resume(): Promise<Fault | null>;
  /** When writing to disk is allowed, because no transaction of this process holds volumes; null: now. */
  pass(): Promise<void> | null;
}

/** The files that writers keep with the set. */
export interface SidecarFiles {
  folder(set: string, writer: string): string;
  /** Brings the files to disk and takes their checksums. @throws HoldstillError E_ANSWER_INVALID; the signal's reason */
  keep(dir: string, sidecar: Sidecar, who: Who, signal: AbortSignal): Promise<RecordedSidecar>;
}

/** The folders at which providers expose snapshots. */
export interface ExposureDirs {
  of(set: string, ...names: readonly string[]): string;
  make(folder: string): Promise<void>;
  remove(folder: string): Promise<void>;
  admitToDevice(device: ExposedDevice, access: "read-only" | "writable"): Promise<void>;
}

export interface TransactionServices {
  readonly workers: PluginWorkers;
  readonly journal: TransactionJournal;
  readonly holder: Holder;
  readonly holdGate: HoldGate;
  /** Where this host meets the others that take the same set; null: it takes the set alone. */
  readonly rendezvous: Rendezvous | null;
  readonly sidecars: SidecarFiles;
  readonly exposures: ExposureDirs;
  readonly emit: Emit;
  readonly limits: LimitsMs;
  /** Makes the set's record durable: the transaction's commit point. @returns The record with its number. */
  readonly keep: (set: SnapshotSet) => Promise<SnapshotSet>;
  /** Aborted with the error that interrupts. */
  readonly signal: AbortSignal;
  /** Every call is added here when it has ended. */
  readonly timeline: Span[];
}
