/** An installation without koffi: what needs it ends with a coded error, and the rest works. */
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Keeper } from "#core/keeper/client/client.js";
import { sceneConfig } from "../../support/fixture/scene-config.js";
import { type CliRun, holdstill } from "../../support/process/command-line.js";
import { installationCopy } from "../../support/process/installation-copy.js";
import { repository } from "../../support/repository.js";
import { unwrapped } from "../../support/process/unwrapped.js";
import { tempDir } from "../../support/storage/temp.js";

/** Runs commands of that installation. */
const commandLine =
  (core: string, config: string) =>
  ([command = "", ...args]: readonly string[]): Promise<CliRun> =>
    holdstill([command, "--config", config, ...args], { program: path.join(core, "bin/holdstill.cjs") });

function assertMissing({ exitCode, stderr }: CliRun, reason: RegExp): void {
  assert.equal(exitCode, 2, stderr);
  assert.match(stderr, /^holdstill: The native library koffi cannot be loaded on linux-\w+: /m);
  assert.match(stderr, reason);
  assert.match(stderr, /^→ Reinstall holdstill on this machine with `npm ci`/m);
}

test("without koffi", async (t) => {
  const core = installationCopy(t, { without: ["koffi"] });

  await t.test(
    "what takes a snapshot, or plans one, is refused with E_NATIVE_MISSING, and what reads the catalog works",
    async (one) => {
      const run = commandLine(core, sceneConfig(tempDir(one)).config);
      for (const args of [["create", "writer:app"], ["plan", "writer:app"], ["serve"]])
        assertMissing(await run(args), /: Cannot find module 'koffi'\.$/m);
      const { stdout } = await run(["create", "writer:app", "--json"]);
      assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, "E_NATIVE_MISSING");
      for (const args of [["list"], ["history"]]) assert.equal((await run(args)).exitCode, 0, args[0]);
    },
  );

  await t.test("doctor reports it, with the step that fixes it", async (one) => {
    const { exitCode, stdout } = await commandLine(core, sceneConfig(tempDir(one)).config)(["doctor"]);
    assert.equal(exitCode, 3, stdout);
    assert.match(unwrapped(stdout), /koffi cannot be loaded .*npm ci/s);
  });

  await t.test("a plugin cannot run programs, and the error is the same", async (one) => {
    const dir = tempDir(one);
    const config = path.join(dir, "holdstill.json");
    writeFileSync(config, JSON.stringify({ stateDir: path.join(dir, "state"), plugins: [{ use: "provider-lvm" }] }));
    assertMissing(await commandLine(core, config)(["plan", dir]), /: Cannot find module 'koffi'\.$/m);
  });

  await t.test("a keeper is not started", async () => {
    const { Keeper: Copied } = (await import(`${core}/dist/keeper/client/client.js`)) as { Keeper: typeof Keeper };
    const plan = { targets: [], ops: [{ op: "plugin" }], limitMs: 1000, includeRoot: false } as const;
    await assert.rejects(Copied.arm(plan), { code: "E_NATIVE_MISSING" });
  });
});

test("a koffi without the package for this platform is E_NATIVE_MISSING with koffi's reason", async (t) => {
  const core = installationCopy(t, { without: ["koffi", "@koromix"] });
  const modules = path.join(path.dirname(core), "node_modules");
  cpSync(path.join(repository, "node_modules/koffi"), path.join(modules, "koffi"), { recursive: true });
  const run = commandLine(core, sceneConfig(tempDir(t)).config);
  assertMissing(await run(["create", "writer:app"]), /: Cannot find the native Koffi module/);
});
