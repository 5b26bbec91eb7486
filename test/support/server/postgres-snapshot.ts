import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync, readFileSync } from "node:fs";
import path from "node:path";
import type { TestContext as NodeTest } from "node:test";
import type { Cut, Exposed, Sidecar, ThawReport, Writer } from "holdstill/plugin";
import writer from "@holdstill/writer-postgres";
import type { TestContext } from "../fixture/context.js";
import { fuzzyCopy } from "../storage/fuzzy-copy.js";
import { createLedger } from "./ledger.js";
import { LedgerLoad } from "./load.js";
import { onEnd } from "../process/on-end.js";
import { adopt, startPostgres, type NewClusterOptions, type PostgresServer } from "./postgres-server.js";
import { scratch } from "../storage/scratch.js";
import { unprivileged } from "../process/unprivileged.js";
import { fullTransaction, type FullTransaction } from "../fixture/writer-transaction.js";

export type Options = typeof writer extends Writer<infer O> ? O : never;

/** The writer's config block for a server, defaults filled in as the host would. */
export function writerOptions(server: PostgresServer, given: Partial<Options> = {}): Options {
  return {
    host: server.socketDir,
    port: server.port,
    user: "postgres",
    database: "postgres",
    tls: "off",
    checkpoint: "spread",
    checkpointAboveBytes: 1024 * 1024 * 1024,
    repair: "always",
    verify: [],
    ...given,
  };
}

/** Quick to checkpoint, and careless of a power cut, which no test makes. */
export const quick = { fsync: "off", checkpoint_completion_target: "0.01", checkpoint_timeout: "30s" };

/** A server with a ledger, gone when the test is. */
export async function serverWithLedger(t: NodeTest, options: NewClusterOptions): Promise<PostgresServer> {
  const server = await startPostgres({ ...options, config: { ...quick, ...options.config } });
  onEnd(t, async () => await server.stop("immediate"));
  const client = await server.connect();
  await createLedger(client);
  await client.end();
  return server;
}

/** Puts a table of the ledger into a tablespace elsewhere, and answers its folder. */
export async function journalElsewhere(t: NodeTest, server: PostgresServer): Promise<string> {
  const far = scratch("far", unprivileged());
  onEnd(t, far.remove);
  await server.query(`CREATE TABLESPACE far LOCATION '${far.path}'`);
  await server.query("ALTER TABLE journal SET TABLESPACE far");
  return far.path;
}

export async function loadOn(t: NodeTest, server: PostgresServer): Promise<LedgerLoad> {
  const load = new LedgerLoad(async () => await server.connect());
  onEnd(t, async () => await load[Symbol.asyncDispose]());
  await load.start(3);
  await load.advance(100);
  return load;
}

let transactions = 0;

/** A folder for a snapshot that the servers' user may enter, and a transaction for the writer. */
export async function begin(t: NodeTest, ctx: TestContext<Options>, cut: Cut = "fuzzy"): Promise<FullTransaction> {
  transactions += 1;
  const folder = scratch("set", unprivileged());
  onEnd(t, folder.remove);
  const sidecarDir = path.join(folder.path, "sidecar");
  mkdirSync(sidecarDir);
  const components = await writer.identify(ctx);
  return fullTransaction({ id: `Set-${process.pid}.${transactions}`, cut, components, sidecarDir });
}

export interface TestSnapshot {
  readonly tx: FullTransaction;
  /** Each captured path, and where its copy lies; the data directory is the first. */
  readonly copies: readonly { original: string; copy: string }[];
  readonly sidecarDir: string;
  readonly sidecar: Sidecar;
  readonly thaw: ThawReport;
}

/** The writer's phases around a fuzzy copy. */
export async function takeSnapshot(
  t: NodeTest,
  ctx: TestContext<Options>,
  between?: () => Promise<void>,
): Promise<TestSnapshot> {
  const tx = await begin(t, ctx);
  const copies: { original: string; copy: string }[] = [];
  await writer.prepare?.(tx, ctx);
  const token = await writer.freeze(tx, ctx);
  for (const { paths, exclude } of tx.components) {
    for (const original of paths) {
      const copy = path.join(path.dirname(tx.sidecarDir), `copy-${copies.length}`);
      await fuzzyCopy(original, copy, exclude, between);
      copies.push({ original, copy });
    }
  }
  const thaw = await writer.thaw(tx, token, ctx);
  const sidecar = (await writer.seal?.(tx, ctx)) ?? { files: [] };
  return { tx, copies, sidecarDir: tx.sidecarDir, sidecar, thaw };
}

/** A snapshot of one instant: what is left of the server when it crashes. Then it goes on. */
export async function takeCrashSnapshot(
  t: NodeTest,
  server: PostgresServer,
  ctx: TestContext<Options>,
): Promise<Omit<TestSnapshot, "sidecar" | "thaw">> {
  const tx = await begin(t, ctx, "atomic");
  const copies = (tx.components[0]?.paths ?? []).map((original, index) => ({
    original,
    copy: path.join(path.dirname(tx.sidecarDir), `copy-${index}`),
  }));
  await server.halt("immediate");
  for (const { original, copy } of copies) execFileSync("cp", ["-a", "-T", original, copy]);
  await server.start();
  return { tx, copies, sidecarDir: tx.sidecarDir };
}

/** As a provider shows the snapshot; it belongs to the servers' user. */
export function exposed({ copies }: Pick<TestSnapshot, "copies">): Exposed {
  for (const { copy } of copies) adopt(copy);
  return { trees: copies.map(({ original, copy }) => ({ original, path: copy })), readOnly: false };
}

/** Puts the sidecar's files into the copy, without those that `omit` names, and answers the data directory to start on. */
export function assemble(snapshot: TestSnapshot, omit: (file: string) => boolean = () => false): string {
  const dataDir = snapshot.copies[0]?.copy ?? "";
  for (const file of snapshot.sidecar.files.filter((name) => !omit(name))) {
    const to = path.join(dataDir, file);
    mkdirSync(path.dirname(to), { recursive: true });
    copyFileSync(path.join(snapshot.sidecarDir, file), to);
    if (file === "tablespace_map") writeFileSync(to, relocated(readFileSync(to, "utf8"), snapshot));
  }
  for (const { copy } of snapshot.copies) adopt(copy);
  return dataDir;
}

function relocated(map: string, { copies }: TestSnapshot): string {
  return copies.reduce((text, { original, copy }) => text.replaceAll(` ${original}\n`, ` ${copy}\n`), map);
}

/** Asks the server whether it still has a session or a slot of the writer. */
export async function leavesNothing(server: PostgresServer): Promise<void> {
  // A session ends a moment after its connection.
  for (let wait = 0; wait < 100; wait += 1) {
    const left = await server.query(`
      SELECT application_name AS what FROM pg_stat_activity WHERE application_name LIKE 'holdstill%'
      UNION ALL SELECT slot_name FROM pg_replication_slots`);
    if (left.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("the server still has a session or a slot of the writer");
}
