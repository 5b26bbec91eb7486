import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { Client } from "pg";
import { createLedger, LedgerBroken, post, verifyLedger } from "./server/ledger.js";
import { LedgerLoad } from "./server/load.js";
import { onEnd } from "./process/on-end.js";
import { startPostgres, type PostgresServer } from "./server/postgres-server.js";
import { missingPostgres } from "./server/postgres-binaries.js";

const skip = missingPostgres();

async function ledger(t: TestContext): Promise<{ server: PostgresServer; client: Client }> {
  const server = await startPostgres({ config: { fsync: "off" } });
  onEnd(t, async () => await server.stop("immediate"));
  const client = await server.connect();
  onEnd(t, async () => await client.end());
  await createLedger(client);
  return { server, client };
}

test("the ledger of a load under way verifies with all that was confirmed", { skip }, async (t) => {
  const { server, client } = await ledger(t);
  const load = new LedgerLoad(async () => await server.connect());
  onEnd(t, async () => await load[Symbol.asyncDispose]());
  await load.start(3);
  await load.advance(200);
  const confirmed = load.acknowledged();
  const { rowsChecked } = await verifyLedger(client, confirmed);
  assert.ok(rowsChecked >= 200);
  assert.equal(confirmed.length, 3);

  const lap = await load.stop();
  assert.ok(lap.transactions >= 200 && lap.rate > 0 && lap.worstStallMs > 0, JSON.stringify(lap));
  const after = await verifyLedger(client, load.acknowledged());
  assert.equal(
    after.rowsChecked,
    load.acknowledged().reduce((sum, { seq }) => sum + seq, 0),
    "nothing was written that was not confirmed",
  );

  const again = new LedgerLoad(async () => await server.connect());
  onEnd(t, async () => await again[Symbol.asyncDispose]());
  await again.start(3);
  await again.advance(30);
  await again.stop();
  const more = await verifyLedger(client, again.acknowledged());
  assert.ok(more.rowsChecked >= after.rowsChecked + 30, "a second load goes on where the first ended");
});

test("the ledger does not verify once it was tampered with", { skip }, async (t) => {
  const { client } = await ledger(t);
  for (let seq = 1; seq <= 5; seq += 1) await post(client, 1, seq);
  const confirmed = [{ worker: 1, seq: 5, at: 0 }];
  await verifyLedger(client, confirmed);

  const broken: Record<string, { sql: string; faults: RegExp[] }> = {
    "a balance": {
      sql: "UPDATE account SET balance = balance + 1 WHERE id = 7",
      faults: [/add up to 1/, /account 7 holds/],
    },
    "two balances that add up": {
      sql: "UPDATE account SET balance = balance + CASE id WHEN 7 THEN 1 ELSE -1 END WHERE id IN (7, 8)",
      faults: [/account 7 holds .* \(and 1 more\)/],
    },
    "a row in between": {
      sql: "DELETE FROM journal WHERE seq = 3",
      faults: [/account/, /worker 1 has 4 rows up to number 5/],
    },
    "the last row": { sql: "DELETE FROM journal WHERE seq = 5", faults: [/account/, /ends at 4, but 5 was confirmed/] },
    "an account": { sql: "DELETE FROM account WHERE id = 9", faults: [/199 accounts/] },
    everything: { sql: "TRUNCATE account, journal", faults: [/0 accounts/, /ends at 0/] },
  };
  for (const [what, { sql, faults }] of Object.entries(broken)) {
    await client.query("BEGIN");
    await client.query(sql);
    await assert.rejects(verifyLedger(client, confirmed), (error) => {
      assert.ok(error instanceof LedgerBroken, what);
      for (const fault of faults) assert.match(error.message, fault, what);
      return true;
    });
    await client.query("ROLLBACK");
  }
  await verifyLedger(client, confirmed);
});

test("a writer whose server died is a failure of the load, and not a shorter load", { skip }, async (t) => {
  const { server } = await ledger(t);
  const load = new LedgerLoad(async () => await server.connect());
  onEnd(t, async () => await load[Symbol.asyncDispose]());
  await load.start(2);
  await load.advance(20);
  await server.halt("immediate");
  await assert.rejects(load.advance(1_000_000), /ledger writer \d failed/);
  await assert.rejects(load.stop(), /ledger writer \d failed/);

  await server.start();
  const client = await server.connect();
  onEnd(t, async () => await client.end());
  await verifyLedger(client, load.acknowledged());
});
