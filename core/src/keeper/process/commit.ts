import type { CommitOp } from "../../base/schema/types.js";
import type { KernelOp } from "../../base/schema/commit-ops.js";
import type { Backend, ReadyOp } from "./backend.js";

/** Which operation failed, and the kernel's reason. */
export interface OpFailure {
  readonly name: string;
  readonly reason: string;
}

/** The section in which a commit runs. */
export interface CommitRun {
  /** Once this is false, no further operation begins. */
  isOn(): boolean;
  /** Runs the operation and returns its result. */
  run(op: ReadyOp): Promise<string | null>;
  /** Called at once, whatever else is under way. */
  fail(failure: OpFailure): void;
}

/** A commit made ready. Resolves when nothing of it is under way any more. */
export type ReadyCommit = (run: CommitRun) => Promise<void>;

/**
 * Makes the operations ready to run one after the other, and chains side by side. The host's operations are left out.
 *
 * @throws TargetFault when something that an operation needs cannot be opened.
 */
export function readyCommit(ops: readonly CommitOp[], backend: Backend): ReadyCommit {
  const parts = ops.flatMap((op) => {
    switch (op.op) {
      case "plugin":
        return [];
      case "parallel":
        return [sideBySide(op.chains.map((chain) => readyCommit(chain, backend)))];
      default:
        return [single(op, backend)];
    }
  });
  return async (run) => {
    for (const part of parts) {
      if (!run.isOn()) return;
      await part(run);
    }
  };
}

function sideBySide(chains: readonly ReadyCommit[]): ReadyCommit {
  return async (run) => void (await Promise.all(chains.map((chain) => chain(run))));
}

function single(op: KernelOp, backend: Backend): ReadyCommit {
  const ready = backend.ready(op);
  return async (run) => {
    const reason = await run.run(ready);
    if (reason !== null) run.fail({ name: ready.name, reason });
  };
}
