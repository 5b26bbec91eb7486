import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { parseText } from "#core/base/config/document.js";
import { compileOptions } from "#core/base/schema/options.js";
import { validate } from "#core/base/schema/validate.js";
import { repository } from "../support/repository.js";

const plugins = path.join(repository, "plugins");

for (const plugin of readdirSync(plugins)) {
  const examples = examplesOf(plugin);
  if (examples.length === 0) continue;
  test(`the configs in the README of ${plugin} are valid, options included`, () => {
    for (const { file, text } of examples) {
      const { value, findings } = parseText(file, text);
      assert.deepEqual(findings, []);
      const config = validate("config", value, file);
      assert.ok(config.ok, JSON.stringify(config));
      for (const { use, options = {} } of config.value.plugins ?? []) {
        const manifest = path.join(plugins, use.replace(/@.*/, ""), "plugin.json");
        const { options: schema } = JSON.parse(readFileSync(manifest, "utf8")) as { options: Record<string, unknown> };
        const compiled = compileOptions(schema);
        assert.ok(compiled.ok);
        const checked = compiled.check(options, { file });
        assert.ok(checked.ok, JSON.stringify(checked));
      }
    }
  });
}

/** Every block of YAML that is a whole config. */
function examplesOf(plugin: string): { file: string; text: string }[] {
  const file = path.join(plugins, plugin, "README.md");
  if (!existsSync(file)) return [];
  const blocks = [...readFileSync(file, "utf8").matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) => text);
  return blocks.filter((text) => /^plugins:/m.test(text)).map((text) => ({ file: `${file}.yaml`, text }));
}
