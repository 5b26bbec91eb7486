import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext as NodeTest } from "node:test";
import type { Cut, Exposed, Sidecar, ThawReport, Writer } from "holdstill/plugin";
import writer from "@holdstill/writer-mysql";
import { context, type TestContext } from "../fixture/context.js";
import { ImageVolume } from "../storage/image-volume.js";
import { createLedger } from "./ledger.js";
import { LedgerLoad } from "./load.js";
import { type Flavour, install, MysqlServer, type Settings } from "./mysql-server.js";
import { onEnd } from "../process/on-end.js";
import { pluginsThat } from "../fixture/misbehaving-plugins.js";
import { tempDir } from "../storage/temp.js";
import { unprivileged } from "../process/unprivileged.js";
import { fullTransaction, type FullTransaction } from "../fixture/writer-transaction.js";

export type Options = typeof writer extends Writer<infer O> ? O : never;

/** The writer's config block for a server, defaults filled in as the host would. */
export function writerOptions(server: MysqlServer, given: Partial<Options> = {}): Options {
  return {
    socket: server.socket,
    port: 3306,
    tls: "verify",
    user: "root",
    lockSeconds: 2,
    killBlockers: false,
    repair: "always",
    repairMemoryMb: 64,
    serverArguments: [],
    verify: "tables",
    ...given,
  };
}

export interface Given {
  /** Settings of the server; those that name places may need to know where the volume is. */
  readonly settings?: Settings | ((mount: string) => Settings);
  readonly options?: Partial<Options>;
  /** Folders of the volume, beside the data directory, that the server may use. */
  readonly elsewhere?: readonly string[];
  /** Of the volume, MiB. */
  readonly size?: number;
}

/** A server with a ledger, its binary log on, on a volume that snapshots can be taken of. */
export class MysqlFixture {
  readonly t: NodeTest;
  readonly volume: ImageVolume;
  readonly server: MysqlServer;
  readonly ctx: TestContext<Options>;

  private constructor(t: NodeTest, volume: ImageVolume, server: MysqlServer, given: Given) {
    this.t = t;
    this.volume = volume;
    this.server = server;
    // For a whole test, on a busy machine.
    this.ctx = context(writerOptions(server, given.options), { limitMs: 600_000 });
  }

  static async lay(t: NodeTest, flavour: Flavour, given: Given = {}): Promise<MysqlFixture> {
    const volume = new ImageVolume(t, given.size);
    const dataDir = path.join(volume.mount, "data");
    const { uid, gid } = unprivileged();
    for (const name of given.elsewhere ?? []) {
      mkdirSync(path.join(volume.mount, name));
      chownSync(path.join(volume.mount, name), uid, gid);
    }
    const own = typeof given.settings === "function" ? given.settings(volume.mount) : given.settings;
    const places = Object.entries(own ?? {}).filter(([name]) => /^(innodb|aria)-/.test(name));
    install(flavour, dataDir, Object.fromEntries(places));
    const settings = { "log-bin": "bin", "server-id": 1, "sync-binlog": 1, ...own };
    const server = new MysqlServer(flavour, dataDir, settings);
    onEnd(t, async () => await server.stop());
    await server.start();
    await server.query("CREATE DATABASE books");
    const client = await server.connect({ database: "books" });
    await createLedger(client);
    await client.end();
    return new MysqlFixture(t, volume, server, given);
  }

  async load(workers = 3): Promise<LedgerLoad> {
    const load = new LedgerLoad(async () => await this.server.connect({ database: "books" }));
    onEnd(this.t, async () => await load[Symbol.asyncDispose]());
    await load.start(workers);
    await load.advance(100);
    return load;
  }

  /** A transaction for the writer. */
  async begin(cut: Cut = "atomic"): Promise<FullTransaction> {
    transactions += 1;
    const sidecarDir = path.join(tempDir(this.t), "sidecar");
    mkdirSync(sidecarDir);
    const components = await writer.identify(this.ctx);
    return fullTransaction({ id: `Set-${process.pid}.${transactions}`, cut, components, sidecarDir });
  }

  /** The writer's phases around an atomic cut. */
  async take(): Promise<TestSnapshot> {
    const { ctx } = this;
    const tx = await this.begin();
    await writer.prepare?.(tx, ctx);
    const token = await writer.freeze(tx, ctx);
    const clone = this.volume.cut();
    const thaw = await writer.thaw(tx, token, ctx);
    const sidecar = (await writer.seal?.(tx, ctx)) ?? { files: [] };
    return { tx, clone, thaw, sidecar };
  }

  /** What the host gives to recover and verify. `paths`: those of the component. */
  expose(clone: string, paths: readonly string[] = [this.server.dataDir]): Exposed {
    const point = this.volume.expose(clone);
    const trees = paths.map((original) => ({
      original,
      path: path.join(point, path.relative(this.volume.mount, original)),
    }));
    return { trees, readOnly: false };
  }

  /** A second server on a snapshot. */
  async open(exposed: Exposed, settings: Record<string, string | number> = {}): Promise<MysqlServer> {
    const dataDir = exposed.trees[0]?.path ?? "";
    const given = { "log-bin": "bin", "server-id": 2, ...settings };
    // The host's folder lets root in only; a restored snapshot lies where its server can go.
    const above = path.dirname(path.dirname(dataDir));
    if (above !== tmpdir()) chmodSync(above, 0o755);
    const server = new MysqlServer(this.server.flavour, dataDir, given);
    onEnd(this.t, async () => await server.stop());
    await server.start();
    return server;
  }
}

/** A config with the writer, as `db`, for the bench's server; without a provider for images it is the embedded one. */
export function configured(
  bench: MysqlFixture,
  options: Record<string, unknown>,
  provider: "image" | "embedded",
): string {
  const dir = tempDir(bench.t);
  // The server on an exposed snapshot is another user.
  chmodSync(dir, 0o755);
  const { image, store } = bench.volume;
  mkdirSync(store, { recursive: true });
  const images = { use: "provider-image", as: "images", options: { mount: bench.volume.mount, image, store } };
  const file = path.join(dir, "holdstill.json");
  const config = {
    pluginPaths: [pluginsThat],
    stateDir: path.join(dir, "state"),
    exposeDir: path.join(dir, "exposed"),
    plugins: [
      { use: "writer-mysql@^1", as: "db", options: { socket: bench.server.socket, ...options } },
      ...(provider === "image" ? [images] : []),
    ],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

let transactions = 0;

export interface TestSnapshot {
  readonly tx: FullTransaction;
  readonly clone: string;
  readonly thaw: ThawReport;
  readonly sidecar: Sidecar;
}

/** Asks the server whether it still has a session or a lock of the writer: whoever writes and makes tables has to get through. */
export async function leavesNothing(server: MysqlServer): Promise<void> {
  await server.query("SET lock_wait_timeout = 5; CREATE TABLE books.free (id int); DROP TABLE books.free");
  // A session ends a moment after its connection.
  for (let wait = 0; wait < 100; wait += 1) {
    if ((await strangers(server)).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(await strangers(server), []);
}

/** Sessions that hold the mark of a transaction. */
export async function strangers(server: MysqlServer): Promise<number[]> {
  const rows = await server.query<{ thread: number }>(
    `SELECT ID AS thread FROM information_schema.PROCESSLIST
      WHERE ID <> connection_id() AND DB IS NULL AND COMMAND NOT IN ('Daemon', 'Binlog Dump')
        AND USER NOT IN ('system user', 'event_scheduler')`,
  );
  return rows.map(({ thread }) => thread);
}
