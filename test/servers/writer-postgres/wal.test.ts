import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { Session } from "@holdstill/writer-postgres/dist/session.js";
import { walFiles, walOverSql } from "@holdstill/writer-postgres/dist/wal-source.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import { startPostgres } from "../../support/server/postgres-server.js";
import { writerOptions } from "../../support/server/postgres-snapshot.js";
import { tempDir } from "../../support/storage/temp.js";

test("WAL read over SQL is byte by byte that of the folder", { skip: missingPostgres() }, async (t) => {
  const server = await startPostgres();
  onEnd(t, async () => await server.stop("immediate"));
  await server.query(
    "CREATE ROLE snap LOGIN; GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean) TO snap",
  );
  const [row] = await server.query<{ name: string }>("SELECT pg_walfile_name(pg_switch_wal()) AS name");
  const name = row?.name ?? "";
  const { signal } = new AbortController();
  const session = await Session.open(writerOptions(server, { user: "snap" }), "test", signal);
  onEnd(t, async () => await session.close());

  const walDir = path.join(server.dataDir, "pg_wal");
  const to = tempDir(t);
  for (const [kind, source] of [
    ["sql", walOverSql(session)],
    ["files", walFiles(walDir, statSync(walDir).uid)],
  ] as const) {
    const copy = path.join(to, kind);
    assert.equal(await source.copy(name, copy, signal), true);
    assert.ok(readFileSync(copy).equals(readFileSync(path.join(walDir, name))), kind);
    assert.equal(await source.copy("0000000900000000000000AA", path.join(to, "none"), signal), false);
    assert.ok(!existsSync(path.join(to, "none")));
    await assert.rejects(source.copy(name, copy, signal), { code: "EEXIST" });
  }
});
