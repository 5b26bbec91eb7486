import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import writer from "@holdstill/writer-mysql";
import { type Acknowledged, verifyLedger } from "../../support/server/ledger.js";
import { LedgerLoad } from "../../support/server/load.js";
import { MysqlFixture, leavesNothing } from "../../support/server/mysql-snapshot.js";
import { mariadb, mariadb11, missingServer, mysql9, type MysqlServer } from "../../support/server/mysql-server.js";
import { onEnd } from "../../support/process/on-end.js";

/** How many snapshots are taken under load. */
const snapshots = Number(process.env["HOLDSTILL_SNAPSHOTS"] ?? 5);

/** Checks the books of a server on a snapshot, and lets it write. */
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

/** The number in MariaDB's `0-1-9036` and MySQL's `uuid:1-9036`. */
const count = ({ gtid }: LogPosition): number => Number(/\d+$/.exec(gtid)?.[0]);

const ofMariadb = { settings: {}, gtid: "gtid_binlog_pos", rough: /Starting crash recovery|Recovering after a crash/ };
const versions = [
  { flavour: mariadb, ...ofMariadb },
  { flavour: mariadb11, ...ofMariadb },
  {
    flavour: mysql9,
    settings: { "gtid-mode": "ON", "enforce-gtid-consistency": "ON", "log-error-verbosity": 3 },
    gtid: "gtid_executed",
    rough: /Database was not shut ?down normally/,
  },
];

for (const { flavour, settings, gtid, rough } of versions) {
  const skip = missingServer(flavour);

  test(
    `${flavour.name}: ${snapshots} atomic snapshots under load: each is repaired, knows its own position, and opens whole`,
    { skip },
    async (t) => {
      const bench = await MysqlFixture.lay(t, flavour, { settings });
      const load = await bench.load();
      for (let number = 1; number <= snapshots; number += 1) {
        await load.advance(50);
        const confirmed = load.acknowledged();
        const snapshot = await bench.take();
        assert.deepEqual([snapshot.thaw.uninterrupted, snapshot.thaw.reason], [true, undefined]);
        assert.equal(snapshot.sidecar.facts?.["lock"], "none");
        if (number === 1) {
          const asCut = await bench.open(bench.expose(bench.volume.fork(snapshot.clone)), settings);
          assert.match(asCut.log(), rough, "what is said below of the repaired one can be false");
          await asCut.stop();
        }
        const exposed = bench.expose(snapshot.clone);
        const report = await writer.repair?.(snapshot.tx, exposed, bench.ctx);
        assert.deepEqual([report?.ok, report?.reason], [true, undefined]);

        const { from, to } = snapshot.sidecar.facts as { from: LogPosition; to: LogPosition };
        const end = report?.facts as unknown as LogPosition & { redoBytes: number };
        assert.ok(count(from) <= count(end) && count(end) <= count(to), `${from.gtid} ${end.gtid} ${to.gtid}`);
        assert.ok(end.redoBytes > 0);
        const events = `SHOW BINLOG EVENTS IN '${end.file}' FROM ${end.offset} LIMIT 1`;
        const [event] = await bench.server.query<{ Info: string }>(events);
        assert.match(
          event?.Info ?? "",
          new RegExp(`${count(end) + 1}\\b`),
          "there the source's next transaction begins",
        );

        const second = await bench.open(exposed, settings);
        assert.doesNotMatch(second.log(), rough);
        const [mine] = await second.query<{ gtid: string }>(`SELECT @@global.${gtid} AS gtid`);
        assert.equal(mine?.gtid, end.gtid, "the repaired snapshot itself has the same");
        await isWhole(t, second, confirmed);
        await second.stop();
        bench.volume.discard(snapshot.clone);
      }
      await load.stop();
      assert.deepEqual(bench.ctx.complaints, []);
      await leavesNothing(bench.server);
    },
  );
}
