import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Misbehaviour, pluginsThat } from "./plugins.js";
import type { Ran } from "./run.js";

/** What npm links as `holdstill`. */
export const bin = path.resolve(import.meta.dirname, "../../../core/dist/cli/holdstill.cjs");

export interface Surroundings {
  env?: Record<string, string>;
  nodeArgs?: readonly string[];
  /** Called with all of stderr so far. */
  onStderr?: (text: string, child: ChildProcess) => void;
  onStart?: (child: ChildProcess) => void;
}

/** Runs the command line as a process of its own, without a terminal and without the caller's settings. */
export function holdstill(
  args: readonly string[],
  { env = {}, nodeArgs = [], onStderr, onStart }: Surroundings = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeArgs, bin, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text.stderr += chunk;
      onStderr?.(text.stderr, child);
    });
    onStart?.(child);
    child.once("error", reject);
    child.once("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ ...text, exitCode });
    });
  });
}

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
