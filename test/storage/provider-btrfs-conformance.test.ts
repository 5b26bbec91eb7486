/** provider-btrfs passes the suite that vendors run, with nested subvolumes, and with one instant where there are none. */
import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { checkPlugin } from "holdstill/conformance";
import { repository } from "../support/repository.js";
import { subvolume, topOf } from "../support/storage/btrfs.js";

const plugin = path.join(repository, "plugins/provider-btrfs");

const isFailure = ({ status }: { status: string }): boolean => status === "failed";

for (const runtime of ["thread", "process"] as const)
  test(`the provider conforms in a ${runtime}, with nested subvolumes on two file systems`, async (t) => {
    // Skips where this machine has no btrfs.
    if (topOf(t) === null) return;
    const { checks } = await checkPlugin(plugin, { runtimes: [runtime] });
    assert.deepEqual(checks.filter(isFailure), []);
    for (const name of ["fork", "written-stays-written", "not-seen-is-not-gone", "leaves-no-mount"])
      assert.ok(
        checks.some((check) => check.name === name && check.status === "passed"),
        name,
      );
  });

test("it keeps its promise of one instant where no subvolume is nested", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const targets = [subvolume(`${top}/data`)];
  const fixture = { options: {}, setup: "true", teardown: "true", targets, watch: [], state: "true" };
  const only = ["keeps-its-promises"];
  const { checks } = await checkPlugin(plugin, { fixture, runtimes: ["thread"], only });
  assert.deepEqual(checks.filter(isFailure), []);
  const promise = checks.find(({ name }) => name === "keeps-its-promises");
  assert.equal(promise?.status, "passed", JSON.stringify(promise));
});
