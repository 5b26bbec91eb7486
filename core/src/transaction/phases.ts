import type { Limits } from "../base/schema/types.js";

/**
 * One phase of the transaction, as data: the machine reads what a failure does, the runner the limit, the command line the
 * summary, and the failure tests are generated from the table.
 */
interface Phase {
  /** Which roles are called. The phases of the keeper and of the cluster call no plugin. */
  actors: readonly ("writer" | "provider" | "keeper" | "cluster")[];
  limit: keyof Limits;
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
    limit: "identify",
    onFailure: "stop",
    summary: "writers say what they own, providers what they can capture",
  },
  prepare: {
    actors: ["writer", "provider"],
    limit: "prepare",
    onFailure: "abort",
    summary: "slow work: checkpoint, space check, pre-created snapshots",
  },
  arm: { actors: ["keeper"], limit: "prepare", onFailure: "abort", summary: "the keeper opens what it will hold" },
  armed: { actors: ["cluster"], limit: "prepare", onFailure: "abort", summary: "all hosts can freeze and hold" },
  freeze: {
    actors: ["writer"],
    limit: "freeze",
    onFailure: "abort",
    summary: "applications hold still",
  },
  frozen: {
    actors: ["cluster"],
    limit: "freeze",
    onFailure: "abort",
    summary: "the applications of all hosts hold still",
  },
  hold: { actors: ["keeper"], limit: "hold", onFailure: "abort", summary: "the kernel holds I/O" },
  commit: {
    actors: ["provider"],
    limit: "copy",
    onFailure: "abort",
    summary: "providers take the snapshot",
  },
  taken: {
    actors: ["cluster"],
    limit: "hold",
    onFailure: "abort",
    summary: "all hosts hold, and have their snapshots",
  },
  release: {
    actors: ["keeper"],
    limit: "hold",
    onFailure: "abort",
    summary: "the kernel resumes I/O",
  },
  thaw: {
    actors: ["writer"],
    limit: "freeze",
    onFailure: "degrade",
    summary: "applications resume, and report whether the freeze was uninterrupted",
  },
  seal: {
    actors: ["writer", "provider"],
    limit: "seal",
    onFailure: "abort",
    summary: "snapshots are finished, metadata is stored",
  },
  repair: {
    actors: ["writer"],
    limit: "repair",
    onFailure: "degrade",
    summary: "snapshots are repaired, so that they open at once",
  },
  sealed: {
    actors: ["cluster"],
    limit: "verdict",
    onFailure: "abort",
    summary: "all hosts have voted for the set",
  },
  complete: {
    actors: ["writer"],
    limit: "complete",
    onFailure: "report",
    summary: "writers learn how the backup went",
  },
  abort: {
    actors: ["writer", "provider"],
    limit: "abort",
    onFailure: "residue",
    summary: "everything is undone",
  },
} as const satisfies Record<string, Phase>;

export type PhaseName = keyof typeof phases;
