/** The order of a commit's operations: chains side by side, each in its own order. */
import assert from "node:assert/strict";
import test from "node:test";
import { type CommitRun, type OpFailure, readyCommit } from "#core/keeper/process/commit.js";
import type { Backend, ReadyOp } from "#core/keeper/process/backend.js";
import { deferred } from "#core/keeper/client/deferred.js";
import type { CommitOp } from "#core/base/schema/types.js";

const resume = (device: string): CommitOp => ({ op: "dm-resume", device });

/** A section that ends when an operation fails, or when the test ends it. */
class FakeSection implements CommitRun {
  readonly failures: OpFailure[] = [];
  isOver = false;

  isOn(): boolean {
    return !this.isOver;
  }

  run(op: ReadyOp): Promise<string | null> {
    return op.run();
  }

  fail(failure: OpFailure): void {
    this.isOver = true;
    this.failures.push(failure);
  }
}

/** A kernel that answers when the test makes it answer: null is "done". */
class FakeKernel {
  readonly asked: string[] = [];
  readonly #answers = new Map<string, (reason: string | null) => void>();

  readonly backend: Backend = {
    open: () => Promise.reject(new Error("nothing is held here")),
    ready: (op) => {
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

  /** Answers, and lets everything run that follows from it. */
  async answer(name: string, reason: string | null = null): Promise<void> {
    this.#answers.get(name)?.(reason);
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

test("chains begin together, and each waits only for its own operations", async () => {
  const kernel = new FakeKernel();
  const ops: CommitOp[] = [
    { op: "parallel", chains: [[resume("a1"), resume("a2")], [resume("b1"), resume("b2")], []] },
    resume("last"),
  ];
  const section = new FakeSection();
  const over = readyCommit(ops, kernel.backend)(section);
  assert.deepEqual(kernel.asked, ["a1", "b1"]);
  await kernel.answer("b1");
  assert.deepEqual(kernel.asked, ["a1", "b1", "b2"]);
  await kernel.answer("b2");
  await kernel.answer("a1");
  assert.deepEqual(kernel.asked, ["a1", "b1", "b2", "a2"], "what follows the chains waits for all of them");
  await kernel.answer("a2");
  assert.deepEqual(kernel.asked, ["a1", "b1", "b2", "a2", "last"]);
  await kernel.answer("last");
  await over;
  assert.deepEqual(section.failures, []);
});

test("a failed chain is reported at once, and the others stop after the operation that they are running", async () => {
  const kernel = new FakeKernel();
  const chains = [[resume("a1"), resume("a2")], [resume("b1"), resume("b2")], [resume("c1")]];
  const section = new FakeSection();
  const over = readyCommit([{ op: "parallel", chains }, resume("last")], kernel.backend)(section);
  await kernel.answer("b1", "ENXIO");
  assert.deepEqual(
    section.failures,
    [{ name: "b1", reason: "ENXIO" }],
    "although the kernel has not answered a1 and c1",
  );
  await kernel.answer("a1");
  await kernel.answer("c1", "EIO");
  await over;
  assert.deepEqual(kernel.asked, ["a1", "b1", "c1"]);
});

test("no operation begins when the section is over", async () => {
  const kernel = new FakeKernel();
  const section = new FakeSection();
  const ops: CommitOp[] = [{ op: "parallel", chains: [[resume("a1"), resume("a2")], [resume("b1")]] }, resume("last")];
  const over = readyCommit(ops, kernel.backend)(section);
  section.isOver = true;
  await kernel.answer("a1");
  await kernel.answer("b1");
  await over;
  assert.deepEqual(kernel.asked, ["a1", "b1"]);
});

test("the host's operations are not run by the kernel, in chains as well", async () => {
  const kernel = new FakeKernel();
  const ops: CommitOp[] = [{ op: "parallel", chains: [[resume("a")], [{ op: "plugin" }]] }];
  const over = readyCommit(ops, kernel.backend)(new FakeSection());
  await kernel.answer("a");
  await over;
  assert.deepEqual(kernel.asked, ["a"]);
});
