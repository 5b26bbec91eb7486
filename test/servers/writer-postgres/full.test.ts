/** Disks that are full: the server's own, that of the sidecar, and the layer that a snapshot is repaired on. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, statfsSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { Filler } from "../../support/storage/filler.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { loopFs } from "../../support/storage/loop-device.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import {
  begin,
  exposed,
  leavesNothing,
  loadOn,
  serverWithLedger,
  takeCrashSnapshot,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";

const skip = missingPostgres();

test("a server whose disk is full fails prepare with a code, and goes on when there is room", { skip }, async (t) => {
  const disk = loopFs(t, "ext4");
  if (disk === null) return;
  for (const dir of [path.dirname(disk), disk]) chmodSync(dir, 0o755);
  const server = await serverWithLedger(t, { dataDir: path.join(disk, "data") });
  const load = await loadOn(t, server);
  await load.stop();
  const ctx = context(writerOptions(server));
  const tx = await begin(t, ctx);
  const filler = Filler.fill(disk);
  const begun = performance.now();
  await assert.rejects(async () => writer.prepare?.(tx, ctx), { code: /^PG_(SESSION_LOST|QUERY|DOWN)$/, message: /./ });
  assert.ok(performance.now() - begun < 20_000);
  filler.remove();
  // A server that cannot write WAL ends.
  await server.halt("immediate");
  await server.start();
  await writer.abort(tx, null, ctx);
  await leavesNothing(server);
  const client = await server.connect();
  onEnd(t, async () => await client.end());
  await verifyLedger(client, load.acknowledged());
});

test("a disk that is too full for the sidecar fails seal, and the server is left alone", { skip }, async (t) => {
  const disk = loopFs(t, "ext4");
  if (disk === null) return;
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  const tx = { ...(await begin(t, ctx)), sidecarDir: path.join(disk, "sidecar") };
  execFileSync("mkdir", [tx.sidecarDir]);
  await writer.prepare?.(tx, ctx);
  const token = await writer.freeze(tx, ctx);
  assert.equal((await writer.thaw(tx, token, ctx)).uninterrupted, true);
  Filler.fill(disk);
  await assert.rejects(async () => writer.seal?.(tx, ctx), { code: "PG_NO_SPACE", message: new RegExp(tx.sidecarDir) });
  await writer.abort(tx, token, ctx);
  await leavesNothing(server);
});

test("a layer that is full fails recover with the server's words, and a larger one does not", { skip }, async (t) => {
  const disk = loopFs(t, "ext4");
  if (disk === null) return;
  for (const dir of [path.dirname(disk), disk]) chmodSync(dir, 0o755);
  const server = await serverWithLedger(t, {});
  const load = await loadOn(t, server);
  await load.stop();
  const ctx = context(writerOptions(server));
  const snapshot = await takeCrashSnapshot(t, server, ctx);
  const copies = snapshot.copies.map(({ original, copy }) => ({
    original,
    copy: path.join(disk, path.basename(copy)),
  }));
  for (const [index, { copy }] of copies.entries())
    execFileSync("cp", ["-a", "-T", snapshot.copies[index]?.copy ?? "", copy]);
  const shown = exposed({ copies });
  const filler = Filler.fill(disk);
  assert.equal(statfsSync(disk).bavail, 0);
  await assert.rejects(async () => writer.repair?.(snapshot.tx, shown, ctx), {
    code: "PG_RECOVERY",
    message: /No space left on device/,
  });
  filler.remove();
  assert.equal((await writer.repair?.(snapshot.tx, shown, ctx))?.ok, true);
  const second = await server.startOn(shown.trees[0]?.path ?? "", {});
  onEnd(t, async () => await second.stop("immediate"));
  const client = await second.connect();
  onEnd(t, async () => await client.end());
  await verifyLedger(client, load.acknowledged());
  await leavesNothing(server);
});
