import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { holdstill } from "../support/process/command-line.js";
import { pluginsThat } from "../support/fixture/misbehaving-plugins.js";
import type { PostgresServer } from "../support/server/postgres-server.js";

/** What a user would have: a config, and the command line. */
export class DemoStage {
  readonly dir: string;
  /** The application that will not hold still. */
  readonly app: string;
  readonly config: string;

  constructor(dir: string, server: PostgresServer) {
    this.dir = dir;
    this.app = path.join(dir, "app");
    mkdirSync(path.join(this.app, "data"), { recursive: true });
    this.config = this.#write("holdstill.json", [postgres(server)]);
  }

  /** The same config with one more writer, which hangs in freeze; the freeze window is 2 s. */
  withHangingWriter(server: PostgresServer): string {
    const hangs = { use: "writer-that", as: "hung-app", options: { app: this.app, in: "freeze", does: "hangs" } };
    return this.#write("holdstill-hang.json", [postgres(server), hangs], { freeze: "2s" });
  }

  async show(): Promise<{ set: SnapshotSet; text: string }> {
    const [record, text] = await Promise.all([
      holdstill(["show", "latest", "--json", "--config", this.config]),
      holdstill(["show", "latest", "--config", this.config]),
    ]);
    return { set: record.json() as SnapshotSet, text: text.stdout };
  }

  /** Copies the snapshot and the writer's sidecar to a place of their own: a data directory to start a server on. */
  async restore(set: SnapshotSet): Promise<string> {
    const exposed = (await holdstill(["expose", set.id, "--json", "--config", this.config])).json() as SnapshotSet;
    const picture = exposed.exposed?.[0]?.exposed.trees[0]?.path ?? "";
    const to = path.join(this.dir, "restored");
    cpSync(picture, to, { recursive: true, verbatimSymlinks: true });
    const sidecar = set.writers[0]?.sidecar?.dir ?? "";
    cpSync(sidecar, to, { recursive: true });
    await holdstill(["unexpose", set.id, "--config", this.config]);
    return to;
  }

  /** What `recover` would have to remove. */
  async leftovers(): Promise<number> {
    const found = (await holdstill(["recover", "--dry-run", "--json", "--config", this.config])).json();
    return (found as { leftovers: unknown[] }).leftovers.length;
  }

  #write(name: string, plugins: unknown[], limits: Record<string, string> = {}): string {
    const file = path.join(this.dir, name);
    const [stateDir, exposeDir] = [path.join(this.dir, "state"), path.join(this.dir, "exposed")];
    writeFileSync(file, JSON.stringify({ pluginPaths: [pluginsThat], stateDir, exposeDir, limits, plugins }, null, 2));
    return file;
  }
}

const postgres = (server: PostgresServer): unknown => ({
  use: "writer-postgres",
  as: "pg-main",
  // A spread checkpoint, the default, spares the clients and takes minutes: this is a demonstration.
  options: { host: server.socketDir, port: server.port, checkpoint: "fast" },
});
