/** What a provider cannot capture as it is now, and a provider that fails beside one that works. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Fault } from "#core/base/schema/types.js";
import type { Fault as Misbehaviour } from "../support/fixture/misbehaving-plugins.js";
import { holdstill } from "../support/process/command-line.js";
import { Scene } from "../support/fixture/scene.js";

test("plan and create refuse a volume with the provider's reason and remedy, before anything is touched", async (t) => {
  const stage = new Scene(t);
  const provider = { in: "match", does: "throws", when: "before" } as const;
  for (const command of ["plan", "create"]) {
    const ran = await stage.run([command, "writer:app", "--json"], { provider });
    assert.equal(ran.exitCode, 3, ran.stdout + ran.stderr);
    const { error } = ran.json() as { error: Fault };
    assert.equal(error.code, "E_VOLUME_REFUSED");
    assert.match(error.message, /the application said no/);
    assert.equal(error.hint, "Ask it nicely.");
  }
  assert.ok(!stage.calls("store").includes("prepare"));
});

/** A config whose first provider misbehaves when it is asked. */
function withFailing(stage: Scene, does: Misbehaviour): string {
  const file = stage.configFile({ provider: { in: "match", does } });
  const config = JSON.parse(readFileSync(file, "utf8")) as { plugins: { as: string; options: { store: string } }[] };
  const [app, failing] = config.plugins;
  const array = path.join(stage.dir, "array");
  mkdirSync(array, { recursive: true });
  const working = { ...failing, as: "store", options: { store: stage.store } };
  const plugins = [app, { ...failing, as: "array", options: { ...failing?.options, store: array } }, working];
  writeFileSync(file, JSON.stringify({ ...config, plugins }));
  return file;
}

for (const does of ["rejects-non-error", "exits", "hangs", "nonsense"] as const) {
  test(`a provider that fails when it is asked is left out, and another one captures the volume: ${does}`, async (t) => {
    const stage = new Scene(t);
    const ran = await holdstill(["create", "writer:app", "--config", withFailing(stage, does)]);
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
    assert.match(ran.stderr, /warning: .*`array`.* It is left out, and other providers are asked\./);
    assert.ok(stage.calls("store").includes("seal"));
  });
}

test("where the only provider fails, plan refuses with the reason of the failure", async (t) => {
  const stage = new Scene(t);
  const ran = await stage.run(["plan", "writer:app", "--json"], {
    provider: { in: "match", does: "rejects-non-error" },
  });
  assert.equal(ran.exitCode, 3, ran.stdout + ran.stderr);
  const { error } = ran.json() as { error: Fault };
  assert.equal(error.code, "E_NO_PROVIDER");
  assert.match(error.message, /`store`.*a text that is no error/);
});
