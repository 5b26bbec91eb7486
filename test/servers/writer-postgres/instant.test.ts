/** Snapshots of one instant of a server under load: each opens, as it was cut or recovered. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { Cuttable } from "../../support/storage/cuttable-device.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { LedgerLoad } from "../../support/server/load.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import {
  begin,
  leavesNothing,
  loadOn,
  serverWithLedger,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";

/** `HOLDSTILL_ROUNDS=30` for the full measure. */
const rounds = Number(process.env["HOLDSTILL_ROUNDS"] ?? 5);

test(
  `${rounds} snapshots of one instant under load open, whole and writable`,
  { skip: missingPostgres() },
  async (t) => {
    const volume = Cuttable.make(t);
    if (volume === null) return;
    const dataDir = path.join(volume.mount, "data");
    const server = await serverWithLedger(t, { dataDir, config: { fsync: "on" } });
    const load = await loadOn(t, server);
    const ctx = context(writerOptions(server), { limitMs: 600_000 });
    const stalls: number[] = [];
    const redo: number[] = [];
    const starts: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await load.advance(100);
      const tx = await begin(t, ctx, "atomic");
      await writer.prepare?.(tx, ctx);
      const token = await writer.freeze(tx, ctx);
      const confirmed = load.acknowledged();
      load.lap();
      const snapshot = volume.cut();
      const thaw = await writer.thaw(tx, token, ctx);
      stalls.push(load.lap().worstStallMs);
      assert.equal(thaw.uninterrupted, true, thaw.reason);
      await writer.seal?.(tx, ctx);

      const copy = path.join(snapshot.at, "data");
      const shown = { trees: [{ original: dataDir, path: copy }], readOnly: false };
      // Each other snapshot as it was cut: redo is the server's own then.
      if (round % 2 === 0) {
        const report = await writer.repair?.(tx, shown, ctx);
        assert.equal(report?.ok, true);
        redo.push(Number(report?.facts?.["redoBytes"]));
      } else {
        // It names the server that was captured.
        rmSync(path.join(copy, "postmaster.pid"));
      }
      const second = await server.startOn(copy, round % 2 === 0 ? {} : { fsync: "off" });
      try {
        starts.push(second.readyMs);
        if (round % 2 === 0) assert.doesNotMatch(second.log(), /redo/);
        const client = await second.connect();
        await verifyLedger(client, confirmed);
        const more = new LedgerLoad(async () => await second.connect());
        await more.start(2);
        await more.advance(20);
        await more.stop();
        await verifyLedger(client, more.acknowledged());
        await client.end();
      } finally {
        await second.stop("immediate");
        snapshot.remove();
      }
    }
    t.diagnostic(`redo ${redo.join(" ")} bytes; start ${starts.map(Math.round).join(" ")} ms (recovered, as cut, …)`);
    t.diagnostic(`longest transaction meanwhile ${stalls.map(Math.round).join(" ")} ms`);
    await load.stop();
    const client = await server.connect();
    onEnd(t, async () => await client.end());
    await verifyLedger(client, load.acknowledged());
    await leavesNothing(server);
  },
);
