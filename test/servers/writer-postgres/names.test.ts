/** Names of any kind, in each database: they are quoted everywhere, and unlogged tables are found by them. */
import assert from "node:assert/strict";
import test from "node:test";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { oddNames } from "../../support/server/odd-names.js";
import { debian15, missingPostgres } from "../../support/server/postgres-binaries.js";
import {
  exposed,
  leavesNothing,
  quick,
  serverWithLedger,
  takeCrashSnapshot,
  takeSnapshot,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";

/** Also what libpq takes for a connection string. */
const names = [...oddNames, "host=/nowhere", "postgresql://nowhere/x"];

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

// It has pg_amcheck.
test("names of any kind are quoted, and unlogged tables are named", { skip: missingPostgres(debian15) }, async (t) => {
  const server = await serverWithLedger(t, { bindir: debian15 });
  for (const name of names) {
    const one = quoted(name);
    await server.query(`CREATE DATABASE ${one}`);
    const client = await server.connect({ database: name });
    onEnd(t, async () => await client.end());
    await client.query(`CREATE SCHEMA ${one}; CREATE TABLE ${one}.${one} (${one} int PRIMARY KEY)`);
    await client.query(`INSERT INTO ${one}.${one} VALUES (7); CREATE UNLOGGED TABLE ${one}.gone (n int)`);
    await client.end();
  }
  await server.query("CREATE DATABASE closed ALLOW_CONNECTIONS false");
  const ctx = context(writerOptions(server, { verify: ["amcheck"], checkpoint: "fast" }), { limitMs: 600_000 });
  const [component] = await writer.identify(ctx);
  const unlogged = (component?.facts?.["unloggedTables"] ?? []) as string[];
  assert.deepEqual(unlogged.toSorted(), names.map((name) => `${name}/${name}.gone`).toSorted());
  await leavesNothing(server);

  for (const snapshot of [await takeSnapshot(t, ctx), await takeCrashSnapshot(t, server, ctx)]) {
    const shown = exposed(snapshot);
    assert.equal((await writer.repair?.(snapshot.tx, shown, ctx))?.ok, true);
    const report = await writer.verify?.(snapshot.tx, shown, ctx);
    assert.equal(report?.result, "opens", JSON.stringify(report));
    const second = await server.startOn(shown.trees[0]?.path ?? "", quick);
    onEnd(t, async () => await second.stop("immediate"));
    for (const name of names) {
      const client = await second.connect({ database: name });
      onEnd(t, async () => await client.end());
      const { rows } = await client.query(`SELECT * FROM ${quoted(name)}.${quoted(name)}`);
      assert.deepEqual(rows, [{ [name]: 7 }]);
      await client.end();
    }
    await second.stop("fast");
  }
});
