/** A vendor's plugin is found by `doctor` and `init` by its manifest alone, as the bundled ones are. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { DoctorCheck } from "#core/base/schema/types.js";
import { holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { writePlugin } from "../support/fixture/plugin-folder.js";
import { tempDir } from "../support/storage/temp.js";

const module = `export default {
  async identify({ options }) {
    return [{ name: "shop", kind: "database", paths: [options.data], tolerates: "point-in-time" }];
  },
  async freeze() { return null; },
  async thaw() { return { uninterrupted: true }; },
  async abort() {},
};
`;

interface Machine {
  env: Record<string, string>;
  plugins: string;
  data: string;
  config: string;
}

/** A machine on which acmed runs, and a plugin path with the vendor's plugin for it. */
function machine(t: TestContext): Machine {
  const dir = tempDir(t);
  const [plugins, data] = [path.join(dir, "plugins"), path.join(dir, "shop")];
  mkdirSync(data);
  const plugin = writePlugin(path.join(plugins, "writer-acme"), {
    options: {
      type: "object",
      additionalProperties: false,
      required: ["data"],
      properties: { data: { type: "string" }, port: { type: "integer" } },
    },
    detects: [{ title: "Acme DB", process: { names: ["acmed"], dataDir: [{ from: "argument", name: "--data" }] } }],
    suggests: { as: "acme-${name}", options: { data: "${dataDir}", port: "${port}" } },
  });
  writeFileSync(path.join(plugin, "index.js"), module);
  const program = path.join(dir, "acmed");
  writeFileSync(program, "#!/bin/sh\nread line\n", { mode: 0o755 });
  const acmed = spawn(program, ["--data", data], { cwd: "/", stdio: ["pipe", "ignore", "inherit"] });
  onEnd(t, async () => {
    const end = once(acmed, "exit");
    acmed.stdin.end();
    await end;
  });
  const env = {
    HOLDSTILL_PLUGIN_PATH: plugins,
    HOLDSTILL_STATE_DIR: path.join(dir, "state"),
    HOLDSTILL_EXPOSE_DIR: path.join(dir, "exposed"),
  };
  return { env, plugins, data, config: path.join(dir, "etc/holdstill.yaml") };
}

test("init suggests the block of a vendor's manifest, doctor shows the server, and then its writer", async (t) => {
  const { env, plugins, data, config } = machine(t);
  const { text, targets } = (await holdstill(["init", "--print", "--json"], { env })).json() as {
    text: string;
    targets: string[];
  };
  assert.ok(targets.includes("writer:acme-shop"), text);
  assert.match(text, new RegExp(`^pluginPaths: \\[ "${plugins}" \\]$`, "m"));
  assert.match(
    text,
    new RegExp(`# Acme DB in ${data}, pid [0-9]+.*\\n  - use: writer-acme@\\^1\\.0\\.0\\n    as: acme-shop\\n`),
  );
  assert.match(text, new RegExp(`      data: "${data}"\\n`));
  const [, block = ""] = /(- use: writer-acme.*?)(?:\n {2}[-#]|\n\n)/s.exec(text) ?? [];
  assert.ok(block !== "" && !block.includes("port:"), "it listens on none");

  const about = async (args: string[], variables: Record<string, string>): Promise<DoctorCheck | undefined> => {
    const { checks } = (await holdstill(["doctor", "--json", ...args], { env: variables })).json() as {
      checks: DoctorCheck[];
    };
    return checks.find(({ found }) => found.includes(`Acme DB in ${data}`));
  };
  mkdirSync(path.dirname(config));
  writeFileSync(config, "plugins: []\n");
  const before = await about(["--config", config], env);
  assert.deepEqual([before?.about, before?.state, before?.remedy], ["servers", "note", "holdstill init --print"]);

  // The draft names the plugin path itself: the environment is not needed any more.
  const { HOLDSTILL_PLUGIN_PATH: _, ...bare } = env;
  writeFileSync(config, text);
  const after = await about(["--config", config], bare);
  assert.equal(after?.state, "good", readFileSync(config, "utf8"));
  assert.match(after.found, / is acme-shop$/);
});
