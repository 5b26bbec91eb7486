/** Plugins that are programs: what their manifest, their file, and their interpreter must be. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { InstanceSettings } from "#core/base/config/settings.js";
import type { Details } from "#core/base/errors/details.js";
import type { HoldstillError } from "#core/base/errors/error.js";
import { explainPlugin } from "#core/host/manifest/why.js";
import { resolvePlugins } from "#core/host/manifest/resolve.js";
import { bareHost, settingsWith, writePlugin, writeProgram } from "../../../support/fixture/plugin-folder.js";
import { refusalOf } from "../../../support/process/refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

interface Shop {
  dir: string;
  bin: string;
  main: string;
  resolve: (instance?: Partial<InstanceSettings>) => ReturnType<typeof resolvePlugins>;
  refusal: (instance?: Partial<InstanceSettings>) => Promise<HoldstillError>;
}

/** A plugin that is a script with this first line, beside a provider. */
function shop(t: TestContext, firstLine: string, changes: Record<string, unknown> = {}): Shop {
  const dir = tempDir(t);
  const folder = writePlugin(path.join(dir, "a"), { runtime: "executable", main: "./main", ...changes });
  writePlugin(path.join(dir, "p"), { name: "provider-acme", kind: "provider", fallback: true });
  const main = path.join(folder, "main");
  writeFileSync(main, `${firstLine}\n`, { mode: 0o755 });
  const bin = path.join(dir, "bin");
  mkdirSync(bin);
  const resolve = (instance = {}) => resolvePlugins(settingsWith([dir], [instance]), { ...bareHost, path: [bin] });
  return { dir, bin, main, resolve, refusal: (instance) => refusalOf(resolve(instance)) };
}

test("a program is resolved with its path, and is always in a process", async (t) => {
  const { dir, main, resolve } = shop(t, "#!/bin/sh");
  const { plugins } = await resolve();
  const [{ runtime, isolation, entry } = assert.fail()] = plugins;
  assert.deepEqual({ runtime, isolation, entry }, { runtime: "executable", isolation: "process", entry: main });
  const { candidates } = await explainPlugin("writer-acme", settingsWith([dir], [{}]), bareHost);
  assert.equal(candidates[0]?.needs?.runtime, "executable");
});

test("a program that may not be executed is a fault of the manifest", async (t) => {
  const { main, refusal } = shop(t, "#!/bin/sh");
  chmodSync(main, 0o644);
  const error = await refusal();
  assert.equal(error.code, "E_MANIFEST_INVALID");
  const [finding] = (error.details as Details["E_MANIFEST_INVALID"]).findings;
  assert.deepEqual(
    [finding?.pointer, finding?.expected],
    ["/main", "a file with the permission to execute it; is the plugin built?"],
  );
});

test("a module that is no JavaScript, and a program in a thread, are faults", async (t) => {
  const node = await shop(t, "#!/bin/sh", { runtime: "node" }).refusal();
  assert.equal(node.code, "E_MANIFEST_INVALID");
  const inThread = await shop(t, "#!/bin/sh", { isolation: "thread" }).refusal();
  assert.equal(inThread.code, "E_MANIFEST_INVALID");
  const asked = await shop(t, "#!/bin/sh").refusal({ isolation: "thread" });
  assert.equal(asked.code, "E_CONFIG_INVALID");
  const [finding] = (asked.details as Details["E_CONFIG_INVALID"]).findings;
  assert.match(finding?.expected ?? "", /^process, .* because the plugin is a program$/);
});

for (const [line, command] of [
  ["#!/nowhere/python9 -B", "/nowhere/python9"],
  ["#! /usr/bin/env python9", "python9"],
  ["#!/usr/bin/env -S A=1 python9 -B", "python9"],
] as const)
  test(`a script with ${line} is refused while the interpreter is missing`, async (t) => {
    const { bin, resolve, refusal } = shop(t, line);
    const error = await refusal();
    assert.equal(error.code, "E_EXEC_MISSING");
    assert.equal((error.details as Details["E_EXEC_MISSING"]).command, command);
    if (command.startsWith("/")) return;
    writeProgram(bin, command);
    assert.equal((await resolve()).plugins.length, 2);
  });

test("a script is refused if another user can change its interpreter, also behind a link", async (t) => {
  const { bin, refusal } = shop(t, "#!/usr/bin/env python9");
  writeProgram(bin, "python9.1");
  symlinkSync("python9.1", path.join(bin, "python9"));
  chmodSync(path.join(bin, "python9.1"), 0o777);
  const error = await refusal();
  assert.equal(error.code, "E_EXEC_UNTRUSTED");
  assert.match(error.hint, /^chmod go-w .*python9\.1/);
});
