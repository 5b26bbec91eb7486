import { rmSync } from "node:fs";
import path from "node:path";
import { verifyLedger } from "../support/server/ledger.js";
import { missingPostgres } from "../support/server/postgres-binaries.js";
import { serverWithLedger } from "../support/server/postgres-snapshot.js";
import { startExisting } from "../support/server/postgres-server.js";
import { type Engine, READY_WITHIN_MS } from "./served.js";

/** No checkpoint comes by itself: how much there is to replay is for the bench to say. */
const config = {
  fsync: "on",
  shared_buffers: "1GB",
  max_wal_size: "16GB",
  checkpoint_timeout: "1h",
  checkpoint_completion_target: "0.9",
};

export const postgres: Engine = {
  name: "PostgreSQL",
  missing: missingPostgres(),
  async serve(t, volume, { rows }) {
    const dataDir = path.join(volume.mount, "data");
    const server = await serverWithLedger(t, { dataDir, config });
    await server.query(
      `CREATE TABLE stock AS SELECT id, 0 AS n, repeat('x', 200) AS what FROM generate_series(0, ${rows - 1}) AS id;
       ALTER TABLE stock ADD PRIMARY KEY (id)`,
    );
    await server.query("VACUUM ANALYZE stock");
    return {
      // A checkpoint would be spread over nearly the hour above, and the load would fill the disk meanwhile: the repair replays it all.
      writer: { use: "writer-postgres", options: { host: server.socketDir, port: server.port, checkpoint: "none" } },
      script: {
        file: "recovery-postgres.sh",
        args: [],
        env: { PGHOST: server.socketDir, PGPORT: `${server.port}`, PGUSER: "postgres" },
      },
      connect: async () => await server.connect(),
      checkpoint: async () => void (await server.query("CHECKPOINT")),
      async redo() {
        const sql = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)::float8 AS n FROM pg_control_checkpoint()";
        return (await server.query<{ n: number }>(sql))[0]?.n ?? Number.NaN;
      },
      async open(mount, confirmed) {
        const copy = path.join(mount, "data");
        // It names the server that was captured.
        rmSync(path.join(copy, "postmaster.pid"), { force: true });
        const second = await startExisting(copy, { bindir: server.bindir, config, readyWithinMs: READY_WITHIN_MS });
        try {
          const client = await second.connect();
          await verifyLedger(client, confirmed);
          await client.end();
          return { readyMs: second.readyMs, redoBytes: redoOf(second.log()) };
        } finally {
          await second.stop("immediate");
        }
      },
      halt: async () => await server.halt(),
    };
  },
};

function redoOf(log: string): number {
  const [from, to] = [/redo starts at (\w+)\/(\w+)/, /redo done at (\w+)\/(\w+)/].map((pattern) => {
    const [, high = "0", low = "0"] = pattern.exec(log) ?? [];
    return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16);
  });
  return (to ?? 0) - (from ?? 0);
}
