import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { InstanceSettings, Settings } from "#core/base/config/settings.js";
import type { Host } from "#core/host/manifest/host.js";

/** A plugin folder with a valid manifest, as far as `changes` leave it so, and an empty module. */
export function writePlugin(dir: string, changes: Record<string, unknown> = {}): string {
  const manifest = {
    manifestVersion: 1,
    name: "writer-acme",
    version: "1.0.0",
    kind: "writer",
    protocol: [1],
    engines: { holdstill: ">=0.1.0 <1.0.0" },
    main: "./index.js",
    ...changes,
  };
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, "plugin.json"), JSON.stringify(manifest, null, 2));
  writeFileSync(path.join(dir, "index.js"), "export default {};\n");
  return dir;
}

export function writeProgram(bin: string, name: string): void {
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, name), "#!/bin/sh\n", { mode: 0o755 });
}

/** A host without bundled plugins and without programs. */
export const bareHost: Host = { version: "0.1.0", protocols: [1], bundled: null, path: [] };

export function settingsWith(pluginPaths: string[], instances: Partial<InstanceSettings>[]): Settings {
  return {
    file: "/etc/holdstill/holdstill.yaml",
    pluginPaths,
    stateDir: "/nowhere",
    exposeDir: "/nowhere",
    service: {
      socket: "/nowhere.sock",
      group: null,
      rights: { read: [], create: [], delete: [], restore: [] },
      operations: 1,
    },
    fillIntervalMs: 30_000,
    limits: {
      queue: 1,
      identify: 1,
      prepare: 1,
      freeze: 1,
      hold: 1,
      copy: 1,
      seal: 1,
      recover: 1,
      complete: 1,
      abort: 1,
    },
    log: { level: "silent", file: null },
    lockFile: null,
    instances: instances.map((instance, index) => ({
      name: instance.use?.name ?? "writer-acme",
      use: { name: "writer-acme", range: "*" },
      policy: "required",
      isolation: null,
      freezeMs: null,
      environment: [],
      options: {},
      at: { file: "/etc/holdstill/holdstill.yaml", pointer: `/plugins/${index}` },
      ...instance,
    })),
  };
}
