import type { CommitOp } from "../base/schema/types.js";
import type { Backend, KernelOp, ReadyOp } from "./process/backend.js";

/** Which operation failed, and what the kernel says. */
export interface OpFailure {
  readonly name: string;
  readonly reason: string;
}

/** The section in which a commit is done. */
export interface CommitRun {
  /** Once it says no, nothing more is begun. */
  goesOn(): boolean;
  /** Runs it, and answers what it does. */
  ask(step: ReadyOp): Promise<string | null>;
  /** Told at once, whatever else is under way. */
  fails(failure: OpFailure): void;
}

/** A commit made ready. Resolves when nothing of it is under way any more. */
export type ReadyCommit = (course: CommitRun) => Promise<void>;

/** Those that are no chains, however deep they stand. */
export const singleOps = (ops: readonly CommitOp[]): (KernelOp | { op: "plugin" })[] =>
  ops.flatMap((op) => (op.op === "parallel" ? op.chains.flatMap(singleOps) : [op]));

/** Whether the kernel has something to do: without it, and with nothing to hold, no keeper is needed. */
export const isForKernel = (ops: readonly CommitOp[]): boolean => singleOps(ops).some(({ op }) => op !== "plugin");

/** Whether the host has something to do while it is held. */
export const isForHost = (ops: readonly CommitOp[]): boolean => singleOps(ops).some(({ op }) => op === "plugin");

/**
 * One operation after the other. What is the host's is left out.
 *
 * @throws StationFault when something that it needs cannot be opened.
 */
export function readyCommit(ops: readonly CommitOp[], hands: Backend): ReadyCommit {
  const parts = ops.flatMap((op) => {
    switch (op.op) {
      case "plugin":
        return [];
      case "parallel":
        return [sideBySide(op.chains.map((chain) => readyCommit(chain, hands)))];
      default:
        return [single(op, hands)];
    }
  });
  return async (course) => {
    for (const part of parts) {
      if (!course.goesOn()) return;
      await part(course);
    }
  };
}

function sideBySide(chains: readonly ReadyCommit[]): ReadyCommit {
  return async (course) => void (await Promise.all(chains.map((chain) => chain(course))));
}

function single(op: KernelOp, hands: Backend): ReadyCommit {
  const step = hands.step(op);
  return async (course) => {
    const reason = await course.ask(step);
    if (reason !== null) course.fails({ name: step.name, reason });
  };
}
