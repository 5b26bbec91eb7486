/** The order of a commit's operations: chains side by side, each in its own order. */
import assert from "node:assert/strict";
import test from "node:test";
import { type CommitRun, isForHost, isForKernel, type OpFailure, readyCommit } from "#core/keeper/commit-ops.js";
import type { Backend, ReadyOp } from "#core/keeper/process/backend.js";
import { deferred } from "#core/keeper/client/deferred.js";
import type { CommitOp } from "#core/base/schema/types.js";

const resume = (device: string): CommitOp => ({ op: "dm-resume", device });

/** A section that ends when an operation fails, or when it is told to. */
class Section implements CommitRun {
  readonly failures: OpFailure[] = [];
  isOver = false;

  goesOn(): boolean {
    return !this.isOver;
  }

  ask(step: ReadyOp): Promise<string | null> {
    return step.run();
  }

  fails(failure: OpFailure): void {
    this.isOver = true;
    this.failures.push(failure);
  }
}

/** A kernel that answers when it is told to: null is "done". */
class Kernel {
  readonly asked: string[] = [];
  readonly #answers = new Map<string, (reason: string | null) => void>();

  readonly hands: Backend = {
    name: "ioctl",
    open: () => Promise.reject(new Error("nothing is held here")),
    step: (op) => {
      const name = "device" in op ? op.device : op.op;
      const answer = deferred<string | null>();
      this.#answers.set(name, answer.resolve);
      return {
        name,
        run: () => {
          this.asked.push(name);
          return answer.promise;
        },
      };
    },
  };

  /** And all that follows from it. */
  async answers(name: string, reason: string | null = null): Promise<void> {
    this.#answers.get(name)?.(reason);
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

test("chains are begun together, and each waits for its own operations only", async () => {
  const kernel = new Kernel();
  const ops: CommitOp[] = [
    { op: "parallel", chains: [[resume("a1"), resume("a2")], [resume("b1"), resume("b2")], []] },
    resume("last"),
  ];
  const section = new Section();
  const over = readyCommit(ops, kernel.hands)(section);
  assert.deepEqual(kernel.asked, ["a1", "b1"]);
  await kernel.answers("b1");
  assert.deepEqual(kernel.asked, ["a1", "b1", "b2"]);
  await kernel.answers("b2");
  await kernel.answers("a1");
  assert.deepEqual(kernel.asked, ["a1", "b1", "b2", "a2"], "what follows the chains waits for all of them");
  await kernel.answers("a2");
  assert.deepEqual(kernel.asked, ["a1", "b1", "b2", "a2", "last"]);
  await kernel.answers("last");
  await over;
  assert.deepEqual(section.failures, []);
});

test("when a chain fails that is told at once, and the others end with what they are at", async () => {
  const kernel = new Kernel();
  const chains = [[resume("a1"), resume("a2")], [resume("b1"), resume("b2")], [resume("c1")]];
  const section = new Section();
  const over = readyCommit([{ op: "parallel", chains }, resume("last")], kernel.hands)(section);
  await kernel.answers("b1", "ENXIO");
  assert.deepEqual(
    section.failures,
    [{ name: "b1", reason: "ENXIO" }],
    "although the kernel has not answered a1 and c1",
  );
  await kernel.answers("a1");
  await kernel.answers("c1", "EIO");
  await over;
  assert.deepEqual(kernel.asked, ["a1", "b1", "c1"]);
});

test("no operation is begun when the section is over", async () => {
  const kernel = new Kernel();
  const section = new Section();
  const ops: CommitOp[] = [{ op: "parallel", chains: [[resume("a1"), resume("a2")], [resume("b1")]] }, resume("last")];
  const over = readyCommit(ops, kernel.hands)(section);
  section.isOver = true;
  await kernel.answers("a1");
  await kernel.answers("b1");
  await over;
  assert.deepEqual(kernel.asked, ["a1", "b1"]);
});

test("what is the host's is found in chains, too, and is not asked of the kernel", async () => {
  const kernel = new Kernel();
  const ops: CommitOp[] = [{ op: "parallel", chains: [[resume("a")], [{ op: "plugin" }]] }];
  assert.equal(isForHost(ops), true);
  assert.equal(isForHost([{ op: "parallel", chains: [[resume("a")]] }]), false);
  assert.equal(isForKernel(ops), true);
  assert.equal(isForKernel([{ op: "parallel", chains: [[], [{ op: "plugin" }]] }]), false);
  const over = readyCommit(ops, kernel.hands)(new Section());
  await kernel.answers("a");
  await over;
  assert.deepEqual(kernel.asked, ["a"]);
});
