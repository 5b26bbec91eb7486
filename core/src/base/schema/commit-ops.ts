import type { CommitOp } from "./types.js";

/** An operation that the kernel does in a single call. */
export type KernelOp = Exclude<CommitOp, { op: "plugin" | "parallel" }>;

/** All single operations, including those in chains at any depth. */
export const singleOps = (ops: readonly CommitOp[]): (KernelOp | { op: "plugin" })[] =>
  ops.flatMap((op) => (op.op === "parallel" ? op.chains.flatMap(singleOps) : [op]));

/** Whether the kernel has something to do. If it has not, and there is nothing to hold, no keeper is needed. */
export const isForKernel = (ops: readonly CommitOp[]): boolean => singleOps(ops).some(({ op }) => op !== "plugin");

/** Whether the host has something to do while the volumes are held. */
export const isForHost = (ops: readonly CommitOp[]): boolean => singleOps(ops).some(({ op }) => op === "plugin");
