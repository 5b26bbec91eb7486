import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { type CliRun, holdstill, type Surroundings } from "./cli.js";
import { type Misbehaviour, pluginsThat } from "./plugins.js";
import { tempDir } from "./temp.js";

export interface Roles {
  writer?: Misbehaviour & Record<string, unknown>;
  provider?: Misbehaviour & Record<string, unknown>;
  isolation?: "thread" | "process";
  limits?: Record<string, string>;
  fillInterval?: string;
  policy?: "required" | "best-effort";
}

/** Short enough to test with, long enough for a good answer on a busy machine. */
const limits = {
  queue: "20s",
  identify: "1500ms",
  prepare: "1s",
  freeze: "2s",
  copy: "1s",
  seal: "1s",
  recover: "1s",
  complete: "1s",
  abort: "1s",
};

/** For tests that are about something else than being late. */
export const patience = {
  identify: "30s",
  prepare: "30s",
  freeze: "30s",
  hold: "10s",
  copy: "30s",
  seal: "30s",
  recover: "30s",
  abort: "30s",
};

/** A small application, a small storage, and a config that brings writer-that and provider-that together. */
export class Stage {
  readonly dir: string;
  readonly app: string;
  readonly store: string;
  #configs = 0;

  constructor(t: TestContext) {
    this.dir = tempDir(t);
    this.app = path.join(this.dir, "app");
    this.store = path.join(this.dir, "store");
    mkdirSync(path.join(this.app, "data"), { recursive: true });
    mkdirSync(this.store);
    writeFileSync(path.join(this.app, "data/file"), "precious\n");
  }

  /** Runs a command with plugins that behave as told. */
  run(args: readonly string[], roles: Roles = {}, surroundings: Surroundings = {}): Promise<CliRun> {
    return holdstill([...args, "--config", this.configFile(roles)], surroundings);
  }

  /** A config file that brings plugins together that behave as told. */
  configFile(roles: Roles = {}): string {
    this.#configs += 1;
    const file = path.join(this.dir, `config-${this.#configs}.json`);
    writeFileSync(file, JSON.stringify(this.#config(roles)));
    return file;
  }

  isFrozen(): boolean {
    return existsSync(path.join(this.app, "frozen"));
  }

  /** The methods that were called so far, in order. */
  calls(of: "app" | "store"): string[] {
    const log = path.join(this[of], "calls.log");
    if (!existsSync(log)) return [];
    // A line that is being written is not a call yet.
    const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => (JSON.parse(line) as { op: string }).op);
  }

  /** What lies in the storage, beside the notes of the plugin itself. */
  stored(): string[] {
    return Stage.storedIn(this.store);
  }

  /** The same of another store of provider-that. */
  static storedIn(store: string): string[] {
    return readdirSync(store).filter((name) => name !== "calls.log" && name !== "fifo");
  }

  /** The sets that have a record. */
  recorded(): string[] {
    const sets = path.join(this.dir, "state/sets");
    return existsSync(sets) ? readdirSync(sets).filter((id) => existsSync(path.join(sets, id, "set.json"))) : [];
  }

  #config({ writer = {}, provider = {}, limits: own = {}, ...more }: Roles): unknown {
    const { isolation = "thread", policy = "required", fillInterval = "30s" } = more;
    return {
      pluginPaths: [pluginsThat],
      stateDir: path.join(this.dir, "state"),
      exposeDir: path.join(this.dir, "exposed"),
      fillInterval,
      limits: { ...limits, ...own },
      service: { socket: path.join(this.dir, "hs.sock") },
      plugins: [
        { use: "writer-that", as: "app", policy, isolation, options: { app: this.app, ...writer } },
        { use: "provider-that", as: "store", isolation, options: { store: this.store, ...provider } },
      ],
    };
  }
}
