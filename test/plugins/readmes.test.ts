/** The configs that pages show are valid, options included. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { parseText } from "#core/base/config/document.js";
import { compileOptions } from "#core/base/schema/options.js";
import { validate } from "#core/base/schema/validate.js";
import { repository } from "../support/repository.js";
import { pages } from "../support/pages.js";

const plugins = path.join(repository, "plugins");

for (const { where, text } of pages()) {
  const examples = examplesOf(text);
  if (examples.length === 0) continue;
  test(`the configs in ${where} are valid, options included`, () => {
    for (const example of examples) {
      const { value, findings } = parseText(`${where}.yaml`, example);
      assert.deepEqual(findings, []);
      const config = validate("config", value, where);
      assert.ok(config.ok, JSON.stringify(config));
      for (const { use, options = {} } of config.value.plugins ?? [])
        checkOptions(use.replace(/@.*/, ""), options, where);
    }
  });
}

test("the README of every plugin with options shows a config", () => {
  const shown = pages().filter(({ where, text }) => where.startsWith("plugins/") && examplesOf(text).length > 0);
  assert.ok(shown.length >= 5);
});

/** Of a bundled plugin; pages also show imaginary ones. */
function checkOptions(plugin: string, options: Record<string, unknown>, file: string): void {
  const manifest = path.join(plugins, plugin, "plugin.json");
  if (!existsSync(manifest)) return;
  const { options: schema } = JSON.parse(readFileSync(manifest, "utf8")) as { options: Record<string, unknown> };
  const compiled = compileOptions(schema);
  assert.ok(compiled.ok);
  const checked = compiled.check(options, { file });
  assert.ok(checked.ok, JSON.stringify(checked));
}

/** Every block of YAML that is a whole config. */
function examplesOf(page: string): string[] {
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) => text);
  return blocks.filter((text) => /^(?:plugins|service):/m.test(text));
}
