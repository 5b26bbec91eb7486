/** The provider with a driver that is a process of its own: real images, mounted by the driver, and requests over its socket. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { checkPlugin } from "holdstill/conformance";
import { repository } from "../support/repository.js";
import { CsiDriver } from "../support/csi/csi-driver.js";

const plugin = path.join(repository, "plugins/provider-csi");

const skip = process.getuid?.() === 0 ? false : "mounting needs root";

/** undefined: all checks. The second driver differs in what it is asked for a snapshot, and in nothing else. */
for (const [how, lacks, only] of [
  ["group snapshots", [], undefined],
  [
    "single snapshots alone",
    ["GROUP_CONTROLLER_SERVICE", "GET_SNAPSHOT", "PUBLISH_UNPUBLISH_VOLUME", "STAGE_UNSTAGE_VOLUME"],
    ["keeps-its-promises", "abort-after-commit", "remove-leaves-others-alone"],
  ],
] as const)
  test(`the provider conforms with a driver that has ${how}`, { skip }, async (t) => {
    const driver = await CsiDriver.start(t, { lacks, restMs: 20 });
    const published = [await driver.volume("one"), await driver.volume("two")];
    const targets = published.map(({ path: at }) => path.join(at, "data"));
    for (const target of targets) mkdirSync(target);
    const volumes = published.map(({ path: mount, volumeId }) => ({ mount, volumeId }));
    const options = { socket: driver.socket, volumes };
    const { checks } = await checkPlugin(plugin, {
      fixture: { options, targets },
      runtimes: ["thread"],
      ...(only && { only }),
    });
    assert.deepEqual(
      checks.filter(({ status }) => status === "failed"),
      [],
    );
    for (const name of only ?? ["written-stays-written"])
      assert.ok(
        checks.some((check) => check.name === name && check.status === "passed"),
        name,
      );
    assert.deepEqual(driver.stored(), []);
  });
