/** The suite that vendors run, on provider-dmsnap. */
import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { checkPlugin } from "holdstill/conformance";
import { tempDir } from "../../support/storage/temp.js";
import { MappedDisk, state } from "../support/mapped-disk.js";
import { repository } from "../../support/repository.js";

const plugin = path.join(repository, "plugins/provider-dmsnap");
/** What takes few transactions: processes are slow in here. */
const only = [
  "keeps-its-promises",
  "raw-device",
  "fork",
  "outlives-its-worker",
  "remove-leaves-others-alone",
  "unknown-snapshots",
  "abort-before-anything",
  "abort-after-commit",
  "prepare-obeys-the-signal",
  "leaves-no-mount",
  "leaves-no-file",
];

test("it conforms to the contract", async (t) => {
  const disk = new MappedDisk(t);
  const targets = [disk.volume("one", "ext4", 32).mount];
  const devices = [disk.store("raw", 8)];
  const before = state();
  const store = tempDir(t);
  const fixture = { options: { size: "8M", store }, targets, devices, watch: [store], limitSeconds: 60 };
  const { checks } = await checkPlugin(plugin, { fixture, only, runtimes: ["thread"] });
  assert.deepEqual(
    checks.filter(({ status }) => status !== "passed"),
    [],
  );
  assert.deepEqual(state(), before);
});
