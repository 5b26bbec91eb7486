/** The timer and the service that `schedule` writes, under a real systemd. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { holdstill } from "../support/process/command-line.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";
import { Systemd } from "../support/process/systemd.js";

test("the timer of a schedule has the backup made, and a backup that fails fails the unit", async (t) => {
  const stage = new Scene(t);
  const config = stage.configFile({ limits: patientLimits });
  const backup = path.join(stage.dir, "backup");
  const command = `mkdir -p ${backup} && cp -a "$HOLDSTILL_ROOT" ${backup}/$HOLDSTILL_SET && exit 7`;
  const args = ["nightly", "writer:app", "--on", "*:*:0/10", "--json", "--config", config];
  const run = await holdstill(["schedule", ...args, "--", "sh", "-c", command]);
  const { files } = run.json() as { files: Record<string, string> };
  const systemd = await Systemd.boot(t, stage.dir, files, "holdstill-nightly.timer");
  if (systemd === null) return;
  await systemd.becomes("holdstill-nightly.service", "ExecMainStatus", "7");
  assert.deepEqual(await systemd.show("holdstill-nightly.service", "Result"), ["exit-code"]);
  await systemd.run(["systemctl", "stop", "holdstill-nightly.timer"]);
  // It may be at it once more.
  await systemd.run(["systemctl", "stop", "holdstill-nightly.service"]);
  const copied = readdirSync(backup, { recursive: true, encoding: "utf8" });
  assert.ok(
    copied.some((name) => name.endsWith("/app/data/file")),
    copied.join("\n"),
  );
  assert.deepEqual([stage.isFrozen(), stage.stored()], [false, []]);
  assert.match(readFileSync(path.join(stage.dir, "state/history.jsonl"), "utf8"), /"outcome":"created"/);
});
