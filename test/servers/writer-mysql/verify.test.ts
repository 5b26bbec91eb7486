/** Three answers: it opens, it does not, and it could not be examined. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { VerifyReport } from "holdstill/plugin";
import writer from "@holdstill/writer-mysql";
import { context } from "../../support/fixture/context.js";
import { MysqlFixture, type Options } from "../../support/server/mysql-snapshot.js";
import { mariadb, missingServer } from "../../support/server/mysql-server.js";

const skip = missingServer(mariadb);
const nothing = (): void => {};

test("only damage of the contents does not open; what is missing around them was not examined", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  const snapshot = await bench.take();
  const { dataDir } = bench.server;
  const verify = async (
    change: (dir: string) => void,
    options: Partial<Options> = {},
  ): Promise<[result: string, reason: string]> => {
    const exposed = bench.expose(bench.volume.fork(snapshot.clone));
    change(exposed.trees[0]?.path ?? "");
    const ctx = context({ ...bench.ctx.options, ...options }, { limitMs: 600_000 });
    const report: VerifyReport | undefined = await writer.verify?.(snapshot.tx, exposed, ctx);
    return [report?.result ?? "", report !== undefined && "reason" in report ? report.reason : ""];
  };
  assert.deepEqual(await verify(nothing), ["opens", ""]);

  const lost = await verify((dir) => writeFileSync(path.join(dir, "ibdata1"), Buffer.alloc(1024 * 1024, 7)));
  assert.equal(lost[0], "does-not-open", lost[1]);
  assert.match(lost[1], /did not start, exit \d+: .*\[ERROR\] .*ibdata1.*MYSQL_DAMAGED/s);

  const rights = await verify((dir) => {
    chownSync(path.join(dir, "ibdata1"), 0, 0);
    chmodSync(path.join(dir, "ibdata1"), 0o600);
  });
  assert.equal(rights[0], "not-examined", rights[1]);
  assert.match(rights[1], /ibdata1/);
  assert.doesNotMatch(rights[1], /Aborting/);

  assert.equal((await verify(nothing, { serverBinary: "/bin/true" }))[0], "not-examined");
  assert.equal((await verify(nothing, { serverArguments: ["--no-such-option"] }))[0], "not-examined");

  await bench.server.halt();
  rmSync(dataDir, { recursive: true });
  const gone = await verify(nothing);
  assert.equal(gone[0], "not-examined", gone[1]);
  assert.match(gone[1], new RegExp(`make an empty folder ${dataDir}, which the snapshot is put on`));
  mkdirSync(dataDir);
  assert.deepEqual(await verify(nothing), ["opens", ""]);
});

test("a set without anything of this writer is refused in each call", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  const tx = await bench.begin();
  const components = tx.components.map((one) => ({ ...one, facts: { ...one.facts, user: null } }));
  const exposed = { trees: [], readOnly: false };
  const refusal = { code: "MYSQL_SNAPSHOT", message: /the set has no server that this version of the writer knows/ };
  for (const given of [[], components]) {
    await assert.rejects(async () => await writer.repair?.({ ...tx, components: given }, exposed, bench.ctx), refusal);
    await assert.rejects(async () => await writer.verify?.({ ...tx, components: given }, exposed, bench.ctx), refusal);
  }
});
