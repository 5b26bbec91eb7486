import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Misbehaviour, pluginsThat } from "./plugins.js";

/** What the plugins of `theatre` do wrong. */
export interface Script {
  writer?: Misbehaviour;
  provider?: Misbehaviour;
}

/** A config with writer-that as `app` and provider-that, their folders, and its state, all below `dir`. */
export function theatre(dir: string, { writer = {}, provider = {} }: Script = {}): { config: string; data: string } {
  const app = path.join(dir, "app");
  const store = path.join(dir, "store");
  const data = path.join(app, "data");
  mkdirSync(data, { recursive: true });
  mkdirSync(store, { recursive: true });
  writeFileSync(path.join(data, "file"), "content");
  const config = path.join(dir, "holdstill.json");
  const settings = {
    stateDir: path.join(dir, "state"),
    exposeDir: path.join(dir, "exposed"),
    pluginPaths: [pluginsThat],
    limits: { freeze: "4s", abort: "4s" },
    plugins: [
      { use: "provider-that", options: { store, ...provider } },
      { use: "writer-that", as: "app", freeze: "500ms", options: { app, ...writer } },
    ],
  };
  writeFileSync(config, JSON.stringify(settings));
  return { config, data };
}
