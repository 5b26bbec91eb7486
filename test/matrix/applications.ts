/** The applications of the matrix: each writes rows that are counted one by one, wherever its data lies. */
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { onEnd } from "../support/process/on-end.js";
import { unprivileged } from "../support/process/unprivileged.js";
import { mariadb, missingServer, MysqlServer } from "../support/server/mysql-server.js";
import { debian15, missingPostgres } from "../support/server/postgres-binaries.js";
import { adopt, type PostgresServer, startExisting, startPostgres } from "../support/server/postgres-server.js";

/** How many rows each write adds. */
const ROWS = 50;

export interface Application {
  readonly name: string;
  /** Why it cannot run here, or false. */
  readonly missing: () => string | false;
  /** fuzzy: also files that were copied one after the other make a set of it. */
  readonly tolerates: "atomic" | "fuzzy";
  /** Lays its data in a new folder, and starts it. It ends with the test. */
  readonly lay: (t: TestContext, dataDir: string) => Promise<RunningApplication>;
}

export interface RunningApplication {
  /** The config's block of its writer; undefined if there is none. */
  readonly plugin: object | undefined;
  readonly target: string;
  /** Whether its writer can open a snapshot and look. */
  readonly verifies: "verifies" | "cannot verify";
  /** Whether its writer can tell that the application is down, without which nothing is put in its place. */
  readonly restores: "in place" | "elsewhere";
  readonly write: () => Promise<void>;
  /** Reads every row, and counts them. */
  readonly count: () => Promise<number>;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** Opens a copy of its data, which may be changed, and counts the rows. `sidecar`: what the writer left beside the snapshot. */
  readonly countIn: (copy: string, sidecar: string) => Promise<number>;
}

/** Files without a writer. */
const files: Application = {
  name: "files",
  missing: () => false,
  tolerates: "fuzzy",
  lay: async (_, dataDir) => ({
    ...filesIn(dataDir),
    plugin: undefined,
    target: dataDir,
    verifies: "cannot verify",
    restores: "in place",
  }),
};

/** The same files, and hooks around them. */
const hooked: Application = {
  name: "writer-exec",
  missing: () => false,
  tolerates: "fuzzy",
  async lay(_, dataDir) {
    const hooks = `${dataDir}-hooks`;
    const hook = path.join(hooks, "10-note");
    mkdirSync(hooks);
    writeFileSync(hook, `#!/bin/sh\nexit 0\n`);
    chmodSync(hook, 0o755);
    const options = { paths: [dataDir], tolerates: "fuzzy", qemu: hooks };
    const plugin = { use: "writer-exec", as: "app", options };
    return { ...filesIn(dataDir), plugin, target: "writer:app", verifies: "cannot verify", restores: "elsewhere" };
  },
};

const postgres: Application = {
  name: "PostgreSQL",
  missing: () => missingPostgres(bindir()),
  tolerates: "fuzzy",
  async lay(t, dataDir) {
    const programs = bindir();
    const server = await startPostgres({ dataDir, ...(programs !== undefined && { bindir: programs }) });
    onEnd(t, async () => await server.stop("immediate"));
    await server.query("CREATE TABLE entry (id int PRIMARY KEY, text text NOT NULL)");
    const options = { host: server.socketDir, port: server.port, checkpoint: "fast" };
    return {
      plugin: { use: "writer-postgres", as: "app", options },
      target: "writer:app",
      verifies: "verifies",
      restores: "in place",
      write: async () => {
        await server.query(
          `INSERT INTO entry SELECT n, repeat(n::text, 50) FROM generate_series((SELECT count(*) FROM entry) + 1, (SELECT count(*) FROM entry) + ${ROWS}) n`,
        );
      },
      count: async () => await countRows(server),
      stop: async () => await server.halt("immediate"),
      start: async () => await server.start(),
      async countIn(copy, sidecar) {
        if (existsSync(sidecar)) cpSync(sidecar, copy, { recursive: true });
        // As the README of the writer has it. The server that it names may be running.
        rmSync(path.join(copy, "postmaster.pid"), { force: true });
        adopt(copy);
        const second = await startExisting(copy, { bindir: server.bindir });
        onEnd(t, async () => await second.stop("immediate"));
        const rows = await countRows(second);
        await second.stop("immediate");
        return rows;
      },
    };
  },
};

/** Debian's programs, where they are installed: in a guest the npm package's would have to be copied. */
const bindir = (): string | undefined => (existsSync(debian15) ? debian15 : undefined);

async function countRows(server: PostgresServer): Promise<number> {
  const rows = await server.query<{ id: number; text: string }>("SELECT id, text FROM entry ORDER BY id");
  return wholeRows(rows);
}

const mysql: Application = {
  name: "MariaDB",
  missing: () => missingServer(mariadb),
  tolerates: "atomic",
  async lay(t, dataDir) {
    const { uid, gid } = unprivileged();
    mkdirSync(dataDir);
    chownSync(dataDir, uid, gid);
    // With no tables of privileges an empty folder is enough to start on; to make them takes minutes in a guest.
    const settings = { "innodb-log-file-size": "16M", "skip-grant-tables": 1 };
    const server = new MysqlServer(mariadb, dataDir, settings);
    onEnd(t, async () => await server.stop());
    await server.start();
    // MariaDB cannot start again after a crash that comes right upon its first start on an empty folder.
    await server.halt();
    await server.start();
    await server.query("CREATE DATABASE books; CREATE TABLE books.entry (id int PRIMARY KEY, text text NOT NULL)");
    return {
      plugin: { use: "writer-mysql", as: "app", options: { socket: server.socket } },
      target: "writer:app",
      verifies: "verifies",
      restores: "in place",
      write: async () => {
        const first = (await countBooks(server)) + 1;
        const values = Array.from({ length: ROWS }, (_, at) => `(${first + at}, repeat('${first + at}', 50))`);
        await server.query(`INSERT INTO books.entry VALUES ${values.join(", ")}`);
      },
      count: async () => await countBooks(server),
      stop: async () => await server.halt("SIGKILL"),
      start: async () => await server.start(),
      async countIn(copy) {
        adopt(copy);
        const second = new MysqlServer(mariadb, copy, settings);
        onEnd(t, async () => await second.stop());
        await second.start();
        const found = await countBooks(second);
        await second.stop();
        return found;
      },
    };
  },
};

async function countBooks(server: MysqlServer): Promise<number> {
  return wholeRows(await server.query<{ id: number; text: string }>("SELECT id, text FROM books.entry ORDER BY id"));
}

export const applications: readonly Application[] = [postgres, mysql, files, hooked];

function filesIn(dataDir: string): Omit<RunningApplication, "plugin" | "target" | "verifies" | "restores"> {
  mkdirSync(dataDir);
  return {
    write: async () => {
      const first = countFiles(dataDir) + 1;
      for (let id = first; id < first + ROWS; id += 1) writeFileSync(path.join(dataDir, `${id}`), textOf(id));
    },
    count: async () => countFiles(dataDir),
    stop: async () => {},
    start: async () => {},
    countIn: async (copy) => countFiles(copy),
  };
}

function countFiles(folder: string): number {
  const names = readdirSync(folder).filter((name) => /^\d+$/.test(name));
  return wholeRows(names.map((name) => ({ id: Number(name), text: readFileSync(path.join(folder, name), "utf8") })));
}

/** Their number, when none is missing and each is as it was written. */
function wholeRows(rows: readonly { id: number; text: string }[]): number {
  const sorted = rows.toSorted((a, b) => a.id - b.id);
  for (const [at, { id, text }] of sorted.entries())
    assert.deepEqual({ id, text }, { id: at + 1, text: textOf(at + 1) });
  return rows.length;
}

const textOf = (id: number): string => `${id}`.repeat(50);
