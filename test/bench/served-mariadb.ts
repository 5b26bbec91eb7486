import path from "node:path";
import { createLedger, verifyLedger } from "../support/server/ledger.js";
import { install, mariadb as flavour, missingServer, MysqlServer } from "../support/server/mysql-server.js";
import { onEnd } from "../support/process/on-end.js";
import { redoBytes } from "@holdstill/writer-mysql/dist/redo.js";
import { type Engine, READY_WITHIN_MS } from "./served.js";

/** Pages are not written out early: how much there is to replay is for the bench to say. */
const settings = {
  "innodb-buffer-pool-size": "1G",
  "loose-innodb-buffer-pool-size-max": "1G",
  "innodb-log-file-size": "4G",
  "innodb-adaptive-flushing": "OFF",
  "innodb-max-dirty-pages-pct": 99,
  "log-bin": "bin",
  "server-id": 1,
  "sync-binlog": 1,
};

export const mariadb: Engine = {
  name: flavour.name,
  missing: missingServer(flavour),
  async serve(t, volume, { rows }) {
    const dataDir = path.join(volume.mount, "data");
    install(flavour, dataDir, { "innodb-log-file-size": settings["innodb-log-file-size"] });
    const server = new MysqlServer(flavour, dataDir, settings);
    onEnd(t, async () => await server.stop());
    await server.start();
    await server.query("CREATE DATABASE books");
    const client = await server.connect({ database: "books" });
    await createLedger(client);
    await client.query(
      `CREATE TABLE stock (id int PRIMARY KEY, n int NOT NULL, what char(200) NOT NULL) ENGINE=InnoDB;
       INSERT INTO stock SELECT seq, 0, 'x' FROM seq_0_to_${rows - 1}`,
    );
    // What it counted of the empty table would have each change read all rows.
    await client.query("ANALYZE TABLE stock");
    await client.end();
    const status = async (name: string): Promise<number> => {
      const [row] = await server.query<{ Value: string }>(`SHOW GLOBAL STATUS LIKE '${name}'`);
      return Number(row?.Value);
    };
    return {
      writer: { use: "writer-mysql", options: { socket: server.socket } },
      script: { file: "recovery-mariadb.sh", args: [server.socket], env: {} },
      connect: async () => await server.connect({ database: "books" }),
      async checkpoint() {
        // A clean stop is the one way to an empty log.
        await server.halt();
        await server.start();
      },
      redo: async () => await status("Innodb_checkpoint_age"),
      async open(mount, confirmed) {
        const second = new MysqlServer(flavour, path.join(mount, "data"), { ...settings, "server-id": 2 });
        try {
          await second.start(READY_WITHIN_MS);
          const session = await second.connect({ database: "books" });
          await verifyLedger(session, confirmed);
          await session.end();
          return { readyMs: second.readyMs, redoBytes: redoBytes(second.log()) ?? Number.NaN };
        } finally {
          await second.stop();
        }
      },
      halt: async () => await server.halt(),
    };
  },
};
