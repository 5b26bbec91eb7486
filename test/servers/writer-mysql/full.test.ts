/** Disks that are full: the layer that a snapshot is repaired on, and the server's own. */
import assert from "node:assert/strict";
import { chmodSync, chownSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import writer from "@holdstill/writer-mysql";
import { context } from "../../support/fixture/context.js";
import { Filler } from "../../support/storage/filler.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { loopFs } from "../../support/storage/loop-device.js";
import { MysqlFixture, leavesNothing, type Options } from "../../support/server/mysql-snapshot.js";
import { mariadb, missingServer } from "../../support/server/mysql-server.js";
import { onEnd } from "../../support/process/on-end.js";
import { unprivileged } from "../../support/process/unprivileged.js";

const skip = missingServer(mariadb);
const small = { size: 320 };

test("a layer that is full fails recover with the server's words, and a larger one does not", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb, small);
  const load = await bench.load();
  const confirmed = load.acknowledged();
  const snapshot = await bench.take();
  await load.stop();
  const exposed = bench.expose(snapshot.clone);
  const filler = Filler.fill(exposed.trees[0]?.path ?? "");
  const begun = performance.now();
  const full = await writer.repair?.(snapshot.tx, exposed, bench.ctx);
  assert.equal(full?.ok, false);
  assert.match(full?.reason ?? "", /did not start, .*(error 28|No space left on device).*MYSQL_SNAPSHOT/);
  assert.ok(performance.now() - begun < 30_000);
  filler.remove();
  const report = await writer.repair?.(snapshot.tx, exposed, bench.ctx);
  assert.deepEqual([report?.ok, report?.reason], [true, undefined]);
  const second = await bench.open(exposed);
  const client = await second.connect({ database: "books" });
  await verifyLedger(client, confirmed);
  await client.end();
  await leavesNothing(bench.server);
});

test(
  "a server that waits for space for its binary log delays no caller beyond the limit, and nothing is left in it",
  { skip },
  async (t) => {
    const disk = loopFs(t, "ext4", "binlog", 16 * 1024 * 1024);
    if (disk === null) return;
    const { uid, gid } = unprivileged();
    for (const dir of [path.dirname(disk), disk]) chmodSync(dir, 0o755);
    chownSync(disk, uid, gid);
    const bench = await MysqlFixture.lay(t, mariadb, { settings: { "log-bin": path.join(disk, "bin") } });
    const { ctx, server } = bench;
    const within = async (call: (ctx: Context<Options>) => Promise<unknown>): Promise<void> => {
      const begun = performance.now();
      await assert.rejects(call(context(ctx.options, { limitMs: 1000 })), { name: /^(Timeout|Abort)Error$/ });
      assert.ok(performance.now() - begun < 10_000);
    };
    const tx = await bench.begin();
    await writer.prepare?.(tx, ctx);
    const filler = Filler.fill(disk);
    const client = await server.connect({ database: "books" });
    onEnd(t, () => client.cut());
    const stalled = client.query("INSERT INTO journal SELECT 99, seq, 1, 2, 0 FROM seq_1_to_300").catch(() => {});
    while (!server.log().includes("Waiting for someone to free space")) await sleep(50);
    await within(async (limited) => await writer.freeze(tx, limited));
    await within(async (limited) => await writer.abort(tx, null, limited));
    // It would look again only after 60 s.
    await server.halt("SIGKILL");
    filler.remove();
    await server.start();
    await stalled;
    await writer.abort(tx, null, ctx);
    await leavesNothing(server);
  },
);
