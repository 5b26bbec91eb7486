/** While a set is kept, its usage is monitored: by `run`, `create --lease-stdin`, and the service. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LeasedCommand } from "../support/process/leased-command.js";
import { Service } from "../support/process/service.js";
import { patientLimits, type Roles, Scene } from "../support/fixture/scene.js";

const roles: Roles = { usageInterval: "100ms", limits: patientLimits, provider: { usage: 10 } };
const run = ["run", "writer:app", "--", "cat"];
const leased = ["create", "--lease-stdin", "writer:app"];

const withConfig = ([command = "", ...rest]: readonly string[], stage: Scene, more: Roles = {}): string[] => [
  command,
  "--config",
  stage.configFile({ ...roles, ...more }),
  ...rest,
];
const setUsage = (stage: Scene, percent: number): void => writeFileSync(`${stage.store}.usage`, String(percent));
const looks = (stage: Scene): number => stage.calls("store").filter((call) => call === "list").length;
const warnings = (text: string): number => text.match(/E_SPACE_LOW/g)?.length ?? 0;

/** Resolves when the provider was asked that many times more. */
async function looked(stage: Scene, times: number): Promise<void> {
  for (const upTo = looks(stage) + times; looks(stage) < upTo;) await sleep(20);
}

for (const args of [run, leased]) {
  test(`${args[0]} warns once of space that becomes full while its set is kept`, async (t) => {
    const stage = new Scene(t);
    const kept = new LeasedCommand(t, withConfig(args, stage));
    await looked(stage, 2);
    assert.equal(warnings(kept.stderr), 0);
    setUsage(stage, 85);
    await kept.printed("E_SPACE_LOW");
    await looked(stage, 3);
    assert.equal(await kept.end(), 0);
    assert.match(
      kept.stderr,
      /^holdstill: warning: The space of snapshot \S+ of set \S+, \S+, is 85 % full\. \(E_SPACE_LOW\) The snapshot is lost when the space is full/m,
    );
    assert.equal(warnings(kept.stderr), 1);
    assert.deepEqual(stage.stored(), [], "and the set goes as ever");
  });
}

test("a list that hangs delays the end by its limit only, and a provider that never says is asked once", async (t) => {
  const stage = new Scene(t);
  const limits = { ...patientLimits, identify: "3s" };
  const hung = new LeasedCommand(t, withConfig(run, stage, { limits, provider: { in: "list", does: "hangs" } }));
  await looked(stage, 1);
  assert.equal(await hung.end(), 0, hung.stderr);
  const before = looks(stage);
  const silent = new LeasedCommand(t, withConfig(leased, stage, { provider: {} }));
  await looked(stage, 1);
  await sleep(1000);
  assert.equal(await silent.end(), 0, silent.stderr);
  assert.equal(looks(stage) - before, 2, "once by the watch, and once before the removal");
});

test("the service warns in its log of the room of every set, once", async (t) => {
  const stage = new Scene(t);
  assert.equal((await stage.run(["create", "writer:app"], roles)).exitCode, 0);
  const service = await Service.start(t, stage, roles);
  await looked(stage, 2);
  assert.equal(warnings(service.stderr), 0);
  setUsage(stage, 85);
  while (warnings(service.stderr) === 0) await sleep(20);
  await looked(stage, 2);
  assert.equal(await service.stop(), 0);
  assert.equal(warnings(service.stderr), 1, service.stderr);
});
