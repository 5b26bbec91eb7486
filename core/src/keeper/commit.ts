import type { CommitOp } from "../schema/types.js";
import type { Hands, KernelOp } from "./grip.js";

/** Which operation failed, and what the kernel says. */
export interface OpFailure {
  readonly name: string;
  readonly reason: string;
}

/** A commit made ready: answers the first failure, null if there was none. No operation is begun once `goesOn` says no. */
export type Commit = (goesOn: () => boolean) => Promise<OpFailure | null>;

/** Those that are no chains, however deep they stand. */
export const singleOps = (ops: readonly CommitOp[]): (KernelOp | { op: "plugin" })[] =>
  ops.flatMap((op) => (op.op === "parallel" ? op.chains.flatMap(singleOps) : [op]));

/** Whether the host has something to do while it is held. */
export const isForHost = (ops: readonly CommitOp[]): boolean => singleOps(ops).some(({ op }) => op === "plugin");

/**
 * One operation after the other. What is the host's is left out.
 *
 * @throws StationFault when something that it needs cannot be opened.
 */
export function readyCommit(ops: readonly CommitOp[], hands: Hands): Commit {
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
  return async (goesOn) => {
    for (const part of parts) {
      if (!goesOn()) return null;
      const failure = await part(goesOn);
      if (failure !== null) return failure;
    }
    return null;
  };
}

/** When one fails the others end with the operation that they are at: nothing is left running that an abort could meet. */
function sideBySide(chains: readonly Commit[]): Commit {
  return async (goesOn) => {
    let first: OpFailure | null = null;
    const run = async (chain: Commit): Promise<void> => {
      const failure = await chain(() => first === null && goesOn());
      first ??= failure;
    };
    await Promise.all(chains.map(run));
    return first;
  };
}

function single(op: KernelOp, hands: Hands): Commit {
  const step = hands.step(op);
  return async () => {
    const reason = await step.run();
    return reason === null ? null : { name: step.name, reason };
  };
}
