/** The configs that pages show are valid, options included. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { parseText } from "#core/base/config/document.js";
import { secretsOf } from "#core/host/manifest/secrets.js";
import { withAt } from "#core/base/schema/pointer.js";
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

for (const name of readdirSync(plugins).filter((one) => existsSync(path.join(plugins, one, "plugin.json"))))
  test(`the README of ${name} has every option of its manifest in a table, with its default`, () => {
    const { options } = JSON.parse(readFileSync(path.join(plugins, name, "plugin.json"), "utf8")) as {
      options?: { properties?: Record<string, { default?: unknown }> };
    };
    const rows = readFileSync(path.join(plugins, name, "README.md"), "utf8").split("\n");
    for (const [option, { default: usual }] of Object.entries(options?.properties ?? {})) {
      const row = rows.find((line) => new RegExp(`^\\| [^|]*\`${option}[\`:]`).test(line));
      assert.ok(row !== undefined, `${option} is in no table`);
      if (typeof usual === "number" || typeof usual === "boolean" || (typeof usual === "string" && usual !== ""))
        assert.ok(row.includes(`\`${usual}\``), `${option}: the default ${usual} is not in ${row}`);
    }
  });

/** Of a bundled plugin; pages also show imaginary ones. */
function checkOptions(plugin: string, options: Record<string, unknown>, file: string): void {
  const manifest = path.join(plugins, plugin, "plugin.json");
  if (!existsSync(manifest)) return;
  const { options: schema } = JSON.parse(readFileSync(manifest, "utf8")) as { options: Record<string, unknown> };
  const compiled = compileOptions(schema);
  assert.ok(compiled.ok);
  // In place of a secret, a config may say where it is.
  const revealed = secretsOf(schema, options).reduce((all, pointer) => withAt(all, pointer, "secret"), options);
  const checked = compiled.check(revealed, { file });
  assert.ok(checked.ok, JSON.stringify(checked));
}

/** Every block of YAML that is a whole config. */
function examplesOf(page: string): string[] {
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) => text);
  return blocks.filter((text) => /^(?:plugins|service):/m.test(text));
}
