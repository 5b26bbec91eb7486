/** The suite that vendors run, on logical volumes of a real kernel: as a provider for such volumes is checked. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import test from "node:test";
import { type CheckResult, checkPlugin } from "holdstill/conformance";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";
import { VolumeGroup } from "../support/volume-group.js";
import { repository } from "../../support/repository.js";

const example = path.join(repository, "core/examples/provider-array");

test("a provider whose file systems lie on two logical volumes conforms, and its snapshot is of one instant", async (t) => {
  const vg = new VolumeGroup(t);
  const targets = [vg.thick("one", "ext4").mount, vg.thick("two", "xfs", 320).mount];
  const folder = path.join(tempDir(t), "array");
  const token = "of the imaginary array";
  const array = spawn(process.execPath, [path.join(example, "array.js"), "0", token, folder, ...targets], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onEnd(t, async () => {
    const gone = once(array, "exit");
    array.kill();
    await gone;
  });
  const [line] = (await once(array.stdout.setEncoding("utf8"), "data")) as [string];
  const fixture = { options: { url: line.trim(), token }, targets, watch: [folder], limitSeconds: 60 };
  const only = ["keeps-its-promises", "leaves-no-mount", "leaves-no-file"];
  const onResult = ({ name, status }: CheckResult): void => t.diagnostic(`${name} ${status}`);
  const { checks } = await checkPlugin(example, { fixture, only, runtimes: ["thread"], onResult });
  assert.deepEqual(
    checks.filter(({ status }) => status === "failed"),
    [],
  );
  const kept = checks.find(({ name }) => name === "keeps-its-promises");
  assert.equal(kept?.status, "passed");
});
