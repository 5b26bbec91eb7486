/** Standbys: they are captured as primaries are, and what ends that is told. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import { adopt, type PostgresServer } from "../../support/server/postgres-server.js";
import {
  assemble,
  begin,
  leavesNothing,
  loadOn,
  quick,
  serverWithLedger,
  takeSnapshot,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";

const skip = missingPostgres();

/** A primary, and as many standbys of it as one likes. */
async function withStandbys(
  t: TestContext,
): Promise<{ primary: PostgresServer; standby: () => Promise<PostgresServer> }> {
  const primary = await serverWithLedger(t, {});
  const seed = assemble(await takeSnapshot(t, context(writerOptions(primary))));
  writeFileSync(path.join(seed, "standby.signal"), "");
  adopt(seed);
  const settings = {
    ...quick,
    primary_conninfo: `host=${primary.socketDir} port=${primary.port} user=postgres`,
    hot_standby: "on",
  };
  let made = 0;
  const standby = async (): Promise<PostgresServer> => {
    made += 1;
    const dataDir = `${seed}-${made}`;
    execFileSync("cp", ["-a", "-T", seed, dataDir]);
    const server = await primary.startOn(dataDir, settings);
    onEnd(t, async () => await server.stop("immediate"));
    return server;
  };
  return { primary, standby };
}

test("a standby is captured too, and its snapshot opens", { skip }, async (t) => {
  const { primary, standby } = await withStandbys(t);
  const server = await standby();
  const load = await loadOn(t, primary);
  const confirmed = load.acknowledged();
  await caughtUp(primary, server);

  const snapshot = await takeSnapshot(t, context(writerOptions(server)));
  assert.equal(snapshot.thaw.uninterrupted, true, snapshot.thaw.reason);
  assert.equal(snapshot.sidecar.facts?.["role"], "standby");
  await load.stop();
  const restored = await primary.startOn(
    assemble(snapshot, (file) => file === "standby.signal"),
    quick,
  );
  onEnd(t, async () => await restored.stop("immediate"));
  const client = await restored.connect();
  onEnd(t, async () => await client.end());
  await verifyLedger(client, confirmed);
  await leavesNothing(server);
});

test("a standby that is promoted is told by freeze and thaw, and seal needs it no more", { skip }, async (t) => {
  const { standby } = await withStandbys(t);
  for (const cut of ["fuzzy", "atomic"] as const) {
    for (const before of ["freeze", "thaw", "seal"] as const) {
      const server = await standby();
      const ctx = context(writerOptions(server));
      const tx = await begin(t, ctx, cut);
      await writer.prepare?.(tx, ctx);
      if (before === "freeze") {
        await promote(server);
        await assert.rejects(writer.freeze(tx, ctx), { code: "PG_SESSION_LOST", message: /the standby was promoted/ });
      } else {
        const token = await writer.freeze(tx, ctx);
        if (before === "thaw") await promote(server);
        const thaw = await writer.thaw(tx, token, ctx);
        assert.equal(thaw.uninterrupted, before === "seal", `${cut}, promoted before ${before}`);
        if (before === "thaw") assert.match(thaw.reason ?? "", /promoted/);
        if (before === "seal") {
          await promote(server);
          assert.equal((await writer.seal?.(tx, ctx))?.facts?.["role"], "standby");
        }
      }
      await writer.abort(tx, null, ctx);
      await leavesNothing(server);
      await server.query("CREATE TABLE it_writes ()");
      await server.stop("immediate");
    }
  }
});

test("a conflict on a standby that ends the session is told, with the server's words", { skip }, async (t) => {
  const { primary, standby } = await withStandbys(t);
  await primary.query("CREATE DATABASE work");
  const server = await standby();
  await caughtUp(primary, server);
  const ctx = context(writerOptions(server, { database: "work" }));
  const tx = await begin(t, ctx, "atomic");
  await writer.prepare?.(tx, ctx);
  const token = await writer.freeze(tx, ctx);
  await primary.query("DROP DATABASE work");
  await caughtUp(primary, server);
  const thaw = await writer.thaw(tx, token, ctx);
  assert.equal(thaw.uninterrupted, false);
  assert.match(thaw.reason ?? "", /conflict with recovery/);
  await writer.abort(tx, token, ctx);
  await leavesNothing(server);
});

async function promote(server: PostgresServer): Promise<void> {
  await server.query("SELECT pg_promote()");
}

async function caughtUp(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  const [at] = await primary.query<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
  for (let wait = 0; wait < 500; wait += 1) {
    const [there] = await standby.query<{ yes: boolean }>("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS yes", [
      at?.lsn,
    ]);
    if (there?.yes === true) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("the standby did not catch up");
}
