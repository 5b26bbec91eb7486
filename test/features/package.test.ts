/** The npm package, as `npm run package` makes it: installed in an empty folder, beside no clone. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { holdstill } from "../support/process/command-line.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";
import { freezables } from "../support/storage/freezable.js";
import { repository } from "../support/repository.js";
import { tempDir } from "../support/storage/temp.js";

const names = readdirSync(path.join(repository, "plugins")).filter((name) => name !== "kit");

/** @returns The archive. */
function packed(t: TestContext): string {
  const dir = tempDir(t);
  const made = path.join(repository, "core/tools/dist/package.js");
  const [name = ""] = execFileSync(process.execPath, [made, dir, "npm"], { encoding: "utf8" }).split("\n");
  return path.join(dir, name);
}

/** @returns The folder that global packages are in. */
function installed(t: TestContext): { packages: string; program: string } {
  const prefix = tempDir(t);
  const quiet = ["--engine-strict", "--prefer-offline", "--no-audit", "--no-fund", "--silent"];
  execFileSync("npm", ["install", "--global", "--prefix", prefix, ...quiet, packed(t)], { cwd: prefix });
  return { packages: path.join(prefix, "lib/node_modules"), program: path.join(prefix, "bin/holdstill") };
}

test("the package is the same whenever it is made", (t) => {
  const [one, other] = [packed(t), packed(t)].map((file) =>
    createHash("sha256").update(readFileSync(file)).digest("hex"),
  );
  assert.equal(one, other);
});

test("the bill of materials lists what is in the package and what it needs, and nothing else", (t) => {
  const folder = path.dirname(packed(t));
  const file = readdirSync(folder).find((name) => name.endsWith(".cdx.json")) ?? "";
  const { components } = JSON.parse(readFileSync(path.join(folder, file), "utf8")) as {
    components: { name: string }[];
  };
  const listed = components.map(({ name }) => name);
  const notices = readFileSync(path.join(folder, "holdstill/THIRD-PARTY-NOTICES"), "utf8");
  const contained = [...notices.matchAll(/^-{80}\n(\S+) /gm)].map(([, name]) => name);
  assert.deepEqual(new Set(listed), new Set([...contained, "koffi", "tinypool", "yaml"]));
});

test("the package makes a set, shows and removes it, has every plugin and what others import, and makes a plugin that conforms", async (t) => {
  const { packages, program } = installed(t);
  const inner = path.join(packages, "holdstill");
  assert.ok(existsSync(path.join(inner, "LICENSE")));
  assert.match(readFileSync(path.join(inner, "THIRD-PARTY-NOTICES"), "utf8"), /^ajv \d.*MIT$/m);
  const user = path.join(packages, "user.mjs");
  const imported = [
    "holdstill",
    "holdstill/client",
    "holdstill/plugin",
    "holdstill/conformance",
    ...names.map((name) => path.join(inner, "plugins", name, "dist/index.js")),
  ];
  writeFileSync(user, imported.map((from) => `import ${JSON.stringify(from)};\n`).join(""));
  execFileSync(process.execPath, [user]);

  const stage = new Scene(t);
  const found = await stage.run(["plugins", "list"], {}, { program });
  for (const name of names) assert.ok(found.stdout.includes(path.join(inner, "plugins", name)), name);
  const mounts = freezables(t, 1, ["ext4"]) ?? [];
  const roles = { provider: { hold: mounts, pointInTime: mounts.length > 0 }, limits: patientLimits };
  const created = await stage.run(["create", "writer:app", ...mounts, "--json"], roles, { program });
  assert.equal(created.exitCode, 0, created.stderr);
  const { set } = created.json() as { set: SnapshotSet };
  assert.equal(set.holdstill, (await holdstill(["--version"], { program })).stdout.trim().replace("holdstill ", ""));
  for (const args of [
    ["expose", set.id],
    ["unexpose", set.id],
    ["delete", set.id, "--yes"],
  ]) {
    const ran = await stage.run(args, roles, { program });
    assert.equal(ran.exitCode, 0, ran.stderr);
  }
  assert.deepEqual(stage.stored(), []);

  const made = await holdstill(["plugins", "new", "writer", "writer-new"], { program, cwd: stage.dir });
  assert.equal(made.exitCode, 0, made.stderr);
  const checked = await holdstill(["plugins", "check", path.join(stage.dir, "writer-new")], { program });
  assert.equal(checked.exitCode, 0, checked.stdout + checked.stderr);
});
