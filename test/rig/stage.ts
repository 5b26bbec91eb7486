import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { type CliRun, holdstill } from "./cli.js";
import { type Misbehaviour, pluginsThat } from "./plugins.js";
import { tempDir } from "./temp.js";

export interface Roles {
  writer?: Misbehaviour;
  provider?: Misbehaviour;
  isolation?: "thread" | "process";
  limits?: Record<string, string>;
  policy?: "required" | "best-effort";
}

/** Short enough to test with, long enough for a good answer on a busy machine. */
const limits = {
  queue: "20s",
  identify: "3s",
  prepare: "2s",
  freeze: "4s",
  copy: "2s",
  seal: "2s",
  complete: "2s",
  abort: "2s",
};

/** A small application, a small storage, and a config that brings writer-that and provider-that together. */
export class Stage {
  readonly dir: string;
  readonly app: string;
  readonly store: string;

  constructor(t: TestContext) {
    this.dir = tempDir(t);
    this.app = path.join(this.dir, "app");
    this.store = path.join(this.dir, "store");
    mkdirSync(path.join(this.app, "data"), { recursive: true });
    mkdirSync(this.store);
    writeFileSync(path.join(this.app, "data/file"), "precious\n");
  }

  /** Runs a command with plugins that behave as told. */
  run(args: readonly string[], roles: Roles = {}): Promise<CliRun> {
    return holdstill([...args, "--config", this.config(roles)]);
  }

  /** A config file that brings plugins together that behave as told. */
  config(roles: Roles = {}): string {
    const file = path.join(this.dir, `${Math.random().toString(36).slice(2)}.json`);
    writeFileSync(file, JSON.stringify(this.#config(roles)));
    return file;
  }

  isFrozen(): boolean {
    return existsSync(path.join(this.app, "frozen"));
  }

  /** What lies in the storage, beside the notes of the plugin itself. */
  stored(): string[] {
    return readdirSync(this.store).filter((name) => name !== "calls.log" && name !== "fifo");
  }

  #config({ writer = {}, provider = {}, isolation = "thread", limits: own = {}, policy = "required" }: Roles): unknown {
    return {
      pluginPaths: [pluginsThat],
      stateDir: path.join(this.dir, "state"),
      limits: { ...limits, ...own },
      plugins: [
        { use: "writer-that", as: "app", policy, isolation, options: { app: this.app, ...writer } },
        { use: "provider-that", as: "store", isolation, options: { store: this.store, ...provider } },
      ],
    };
  }
}
