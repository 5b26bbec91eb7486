/** The timer and the service that `schedule` writes, under a real systemd. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
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
  await systemd.becomes("holdstill-nightly.service", "ExecMainStatus", "7", 240_000);
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

test("an argument with a line end is one word of the unit, and systemd accepts it", async (t) => {
  const stage = new Scene(t);
  const config = stage.configFile();
  const script = 'echo "one"\n[Service]\nExecStart=/bin/evil $X 100%\ttab\\n';
  const run = await holdstill([
    "schedule",
    "n",
    "/srv",
    "--on",
    "daily",
    "--json",
    "--config",
    config,
    "--",
    "sh",
    "-c",
    script,
  ]);
  const { files } = run.json() as { files: Record<string, string> };
  const service = files["holdstill-n.service"] ?? "";
  assert.deepEqual(service.match(/^\[Service\]|^ExecStart=/gm), ["[Service]", "ExecStart="]);
  const [, words = ""] = /^ExecStart=(.*)$/m.exec(service) ?? [];
  assert.ok(words.includes(String.raw`\x0a[Service]\x0aExecStart=/bin/evil $$X 100%%\x09tab\\n`), words);
  const wrong = [
    ["--on", "daily\nX=1"],
    ["--on", "daily", "--environment", "/x\nExecStartPost=/bin/evil"],
  ];
  for (const options of wrong) {
    const refused = await holdstill(["schedule", "n", "/srv", ...options, "--config", config, "--", "true"]);
    assert.equal(refused.exitCode, 2, refused.stdout);
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(stage.dir, name), text);
  const verify = spawnSync("systemd-analyze", ["verify", path.join(stage.dir, "holdstill-n.service")], {
    encoding: "utf8",
  });
  if (verify.error === undefined) assert.doesNotMatch(verify.stderr, /holdstill-n\.service(?!: Command 'man )/);
});
