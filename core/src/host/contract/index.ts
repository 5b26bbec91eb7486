/** The contract, version 1: where the author of a plugin begins to read. It has only types: at run time a plugin needs nothing of the host. */
export type { Provider, View } from "./provider.js";
export type { BackupOutcome, Writer } from "./writer.js";
export type {
  Context,
  FreezeTransaction,
  Log,
  PrepareTransaction,
  SetLabel,
  Transaction,
  WriterTransaction,
} from "./context.js";
export type { ExecOptions, ExecResult } from "../../os/exec/options.js";
export type {
  BlockDevice,
  BlockVolume,
  CommitOp,
  Component,
  Consistency,
  CriticalSection,
  Cut,
  Difference,
  Exposed,
  ExposedDevice,
  ExposedTree,
  FileSystemVolume,
  FreezeToken,
  HoldTarget,
  Listed,
  PartialList,
  Place,
  PluginManifest,
  Qualities,
  Report,
  Sidecar,
  Snapshot,
  SnapshotSet,
  Space,
  Support,
  ThawReport,
  VerifyReport,
  Volume,
} from "../../base/schema/types.js";
