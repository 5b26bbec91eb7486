import type { LimitsMs } from "../config/settings.js";

/** One phase of the transaction, as data: the machine, the runner and the failure tests all read the table below. */
interface Phase {
  /** Which roles are called; the keeper's phases call no plugin. */
  actors: readonly ("writer" | "provider" | "keeper")[];
  /** Writers are frozen front-end first and thawed in reverse; everything else happens together. */
  order: "together" | "by-level" | "by-level-reversed";
  limit: keyof LimitsMs;
  /**
   * What the failure of a required plugin does. stop: nothing was touched yet. abort: undo everything. degrade: the set's
   * consistency falls. residue: recorded for `recover`. report: said, and nothing else.
   */
  onFailure: "stop" | "abort" | "degrade" | "residue" | "report";
  summary: string;
}

export const phases = {
  identify: {
    actors: ["writer", "provider"],
    order: "together",
    limit: "identify",
    onFailure: "stop",
    summary: "writers say what they own, providers what they can capture",
  },
  prepare: {
    actors: ["writer", "provider"],
    order: "together",
    limit: "prepare",
    onFailure: "abort",
    summary: "slow work: checkpoint, space check, pre-created snapshots",
  },
  freeze: {
    actors: ["writer"],
    order: "by-level",
    limit: "freeze",
    onFailure: "abort",
    summary: "applications hold still",
  },
  hold: { actors: ["keeper"], order: "together", limit: "hold", onFailure: "abort", summary: "the kernel holds I/O" },
  commit: {
    actors: ["provider"],
    order: "together",
    limit: "copy",
    onFailure: "abort",
    summary: "providers take the picture",
  },
  release: {
    actors: ["keeper"],
    order: "together",
    limit: "hold",
    onFailure: "abort",
    summary: "the kernel lets I/O go on",
  },
  thaw: {
    actors: ["writer"],
    order: "by-level-reversed",
    limit: "freeze",
    onFailure: "degrade",
    summary: "applications go on, and say whether they were held throughout",
  },
  seal: {
    actors: ["writer", "provider"],
    order: "together",
    limit: "seal",
    onFailure: "abort",
    summary: "snapshots are finished, metadata is kept",
  },
  complete: {
    actors: ["writer"],
    order: "together",
    limit: "complete",
    onFailure: "report",
    summary: "writers learn how the backup went",
  },
  abort: {
    actors: ["writer", "provider"],
    order: "together",
    limit: "abort",
    onFailure: "residue",
    summary: "everything is undone",
  },
} as const satisfies Record<string, Phase>;

export type PhaseName = keyof typeof phases;
