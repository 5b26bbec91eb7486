import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import writer from "@holdstill/writer-mysql";
import { type Acknowledged, verifyLedger } from "../rig/ledger.js";
import { LedgerLoad } from "../rig/load.js";
import { Bench, leavesNothing } from "../rig/mysql-picture.js";
import { mariadb, missingServer, type MysqlServer } from "../rig/mysql-server.js";
import { onEnd } from "../rig/on-end.js";

const skip = missingServer(mariadb);

/** How many pictures are taken under load. */
const pictures = Number(process.env["HOLDSTILL_PICTURES"] ?? 5);

/** Checks the books of a server on a picture, and lets it write. */
async function isWhole(t: TestContext, server: MysqlServer, confirmed: readonly Acknowledged[]): Promise<void> {
  const client = await server.connect({ database: "books" });
  await verifyLedger(client, confirmed);
  const load = new LedgerLoad(async () => await server.connect({ database: "books" }));
  onEnd(t, async () => await load[Symbol.asyncDispose]());
  await load.start(2);
  await load.advance(20);
  await load.stop();
  await verifyLedger(client, load.acknowledged());
  await client.end();
}

interface LogPosition {
  gtid: string;
  file: string;
  offset: number;
}

/** The number in MariaDB's `0-1-9036`. */
const count = ({ gtid }: LogPosition): number => Number(gtid.split("-")[2]);

test(
  `${mariadb.name}: ${pictures} atomic pictures under load: each is repaired, knows its own position, and opens whole`,
  { skip },
  async (t) => {
    const bench = await Bench.lay(t, mariadb);
    const load = await bench.load();
    for (let number = 1; number <= pictures; number += 1) {
      await load.advance(50);
      const confirmed = load.acknowledged();
      const picture = await bench.take();
      assert.deepEqual([picture.thaw.held, picture.thaw.why], [true, undefined]);
      assert.equal(picture.sidecar.facts?.["lock"], "none");
      const exposed = bench.expose(picture.clone);
      const report = await writer.recover?.(picture.tx, exposed, bench.ctx);
      assert.deepEqual([report?.ok, report?.why], [true, undefined]);

      const { from, to } = picture.sidecar.facts as { from: LogPosition; to: LogPosition };
      const end = report?.facts as unknown as LogPosition & { redoBytes: number };
      assert.ok(count(from) <= count(end) && count(end) <= count(to), `${from.gtid} ${end.gtid} ${to.gtid}`);
      assert.ok(end.redoBytes > 0);
      const at = `SELECT binlog_gtid_pos('${end.file}', ${end.offset}) AS gtid`;
      assert.deepEqual(await bench.server.query(at), [{ gtid: end.gtid }], "the source's log says the same");

      const second = await bench.open(exposed);
      assert.doesNotMatch(second.log(), /Starting crash recovery|Recovering after a crash/);
      const [mine] = await second.query<{ gtid: string }>("SELECT @@global.gtid_binlog_pos AS gtid");
      assert.equal(mine?.gtid, end.gtid, "the repaired picture itself says the same");
      await isWhole(t, second, confirmed);
      await second.stop();
      bench.volume.discard(picture.clone);
    }
    await load.stop();
    assert.deepEqual(bench.ctx.complaints, []);
    await leavesNothing(bench.server);
  },
);
