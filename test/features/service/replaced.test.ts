/** The service, when an upgrade replaces its files. */
import assert from "node:assert/strict";
import { copyFileSync, cpSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Problem } from "#core/base/schema/types.js";
import { patientLimits, Scene } from "../../support/fixture/scene.js";
import { Service } from "../../support/process/service.js";
import { repository } from "../../support/repository.js";
import { tempDir } from "../../support/storage/temp.js";

/** A copy of the installation. */
function installed(t: TestContext): { program: string; main: string } {
  const at = tempDir(t);
  for (const name of ["core/bin", "core/bundle", "core/package.json", "core/src/service/page/browser", "schemas"])
    cpSync(path.join(repository, name), path.join(at, name), { recursive: true });
  symlinkSync(path.join(repository, "node_modules"), path.join(at, "node_modules"));
  mkdirSync(path.join(at, "plugins"));
  return { program: path.join(at, "core/bin/holdstill.cjs"), main: path.join(at, "core/bundle/cli/main.js") };
}

function replace(file: string): void {
  copyFileSync(file, `${file}.new`);
  renameSync(`${file}.new`, file);
}

test(
  "a service whose files were replaced finishes its work, begins none, and exits",
  { timeout: 120_000 },
  async (t) => {
    const stage = new Scene(t);
    const { program, main } = installed(t);
    const writer = { in: "freeze", does: "late", delayMs: 5000 } as const;
    const service = await Service.start(t, stage, { program, writer, limits: patientLimits });
    const { id } = await service.create({ targets: ["writer:app"] });
    while (!stage.isFrozen()) await sleep(20);
    replace(main);
    const refused = await service.ask("POST", "/v1/sets", { body: { targets: ["writer:app"] } });
    assert.equal(refused.status, 503);
    assert.deepEqual(
      [refused.json<Problem>().code, refused.json<Problem>().details["reason"]],
      ["E_UNAVAILABLE", "its files were replaced, and it exits when its work has ended"],
    );
    const { state } = await service.ended(id);
    assert.equal(state.result.outcome, "created");
    assert.equal(stage.isFrozen(), false);
    service.disconnect();
    if (service.child.exitCode === null) await once(service.child, "exit");
    assert.equal(service.child.exitCode, 0, service.stderr);
  },
);

test("a service whose files were replaced while it was idle exits at once", { timeout: 120_000 }, async (t) => {
  const stage = new Scene(t);
  const { program, main } = installed(t);
  const service = await Service.start(t, stage, { program });
  await sleep(1000);
  assert.equal(service.child.exitCode, null);
  replace(main);
  if (service.child.exitCode === null) await once(service.child, "exit");
  assert.equal(service.child.exitCode, 0, service.stderr);
});
