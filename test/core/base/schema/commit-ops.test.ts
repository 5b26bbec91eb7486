/** What a commit has for the kernel, and what for the host. */
import assert from "node:assert/strict";
import test from "node:test";
import { isForHost, isForKernel, singleOps } from "#core/base/schema/commit-ops.js";
import type { CommitOp } from "#core/base/schema/types.js";

const resume: CommitOp = { op: "dm-resume", device: "a" };
const host: CommitOp = { op: "plugin" };
const parallel = (...chains: CommitOp[][]): CommitOp => ({ op: "parallel", chains });

test("operations in chains are found at any depth", () => {
  assert.deepEqual(singleOps([parallel([resume], [parallel([host], [])]), resume]), [resume, host, resume]);
});

test("a commit is for the kernel, for the host, or for both, by the operations in its chains as well", () => {
  const rows: [ops: CommitOp[], kernel: boolean, host: boolean][] = [
    [[], false, false],
    [[parallel([resume])], true, false],
    [[parallel([], [host])], false, true],
    [[parallel([resume], [host])], true, true],
  ];
  for (const [ops, forKernel, forHost] of rows)
    assert.deepEqual([isForKernel(ops), isForHost(ops)], [forKernel, forHost]);
});
