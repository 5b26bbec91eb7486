/** The guide for authors: what it shows is valid. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { checkNames } from "#core/conformance/suite.js";
import { commandTable } from "#core/cli/table.js";
import type { PluginManifest } from "#core/base/schema/types.js";
import { detectionFaults } from "#core/host/manifest/detection-faults.js";
import { validate } from "#core/base/schema/validate.js";
import { repository } from "../../../support/repository.js";

const file = path.join(repository, "docs/plugins.md");
const text = readFileSync(file, "utf8");

test("the manifests and the conformance.json that the guide shows are valid", () => {
  const [manifest, detection, fixture] = [...text.matchAll(/```json\n(.*?)```/gs)].map(
    ([, json = ""]) => JSON.parse(json) as unknown,
  );
  assert.deepEqual(validate("plugin-manifest", manifest, "guide"), { ok: true, value: manifest });
  const detecting = { ...(manifest as object), ...(detection as object) } as PluginManifest;
  assert.deepEqual(validate("plugin-manifest", detecting, "guide"), { ok: true, value: detecting });
  assert.deepEqual(detectionFaults(detecting), []);
  assert.deepEqual(validate("conformance-fixture", fixture, "guide"), { ok: true, value: fixture });
});

test("the guide describes every property of conformance.json that an author must know", () => {
  const schema = readFileSync(path.join(repository, "schemas/conformance-fixture.v1.schema.json"), "utf8");
  const { properties } = JSON.parse(schema) as { properties: Record<string, unknown> };
  const notNotified = Object.keys(properties).filter(
    (name) => !text.includes(`\`${name}\``) && !text.includes(`"${name}"`),
  );
  assert.deepEqual(notNotified, ["$schema"]);
});

test("every command that the guide shows exists", () => {
  const commands = [...text.matchAll(/holdstill (plugins \w+)/g)].map(([, name]) => name);
  assert.deepEqual(
    commands.filter((name) => !commandTable.some((entry) => entry.name === name)),
    [],
  );
});

test("the names of the checks are words with hyphens", () => {
  assert.ok(checkNames.length > 50);
  for (const name of checkNames) assert.match(name, /^[a-z][a-z-]*$/);
});
