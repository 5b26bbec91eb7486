/** The contract, version 1: what an author reads first. Types only; a plugin needs nothing of the host at run time. */
export type { Provider, View } from "./provider.js";
export type { BackupOutcome, Writer } from "./writer.js";
export type { Context, Log, Transaction, WriterTransaction } from "./context.js";
export type { ExecOptions, ExecResult } from "../../os/exec/options.js";
export type {
  BlockDevice,
  CommitOp,
  Component,
  Consistency,
  CriticalSection,
  Cut,
  Exposed,
  ExposedTree,
  FreezeToken,
  HoldTarget,
  PluginManifest,
  Qualities,
  Report,
  Sidecar,
  Snapshot,
  SnapshotSet,
  Support,
  ThawReport,
  Volume,
} from "../../base/schema/types.js";
