import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import mysql, { type ConnectionOptions, type RowDataPacket } from "mysql2/promise";
import { atExit } from "../process/at-exit.js";
import { rowsOf } from "./ledger.js";
import type { LoadClient } from "./load.js";
import { scratch } from "../storage/scratch.js";
import { unprivileged, type User } from "../process/unprivileged.js";

/** A server's programs: how a data directory is made, and what serves it. */
export interface Flavour {
  readonly name: string;
  readonly binary: string;
  /** What tells a server that is not installed in the usual places where its own files are. */
  readonly places: readonly string[];
  /** Makes a data directory in which root has no password. */
  readonly install: (settings: readonly string[], user: User) => void;
  /** What makes it, where no package of this suite does. */
  readonly setup?: string;
}

/** A MariaDB whose programs lie below `usr`. */
function mariadbIn(usr: string): Omit<Flavour, "name"> {
  const elsewhere = usr !== "/usr";
  return {
    binary: path.join(usr, "sbin/mariadbd"),
    places: elsewhere ? [`--basedir=${usr}`, `--lc-messages-dir=${usr}/share/mariadb`] : [],
    install(settings, user) {
      const script = path.join(usr, "bin/mariadb-install-db");
      const always = ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"];
      const own = elsewhere ? [`--basedir=${usr}`] : [];
      execFileSync(script, [...always, "--skip-name-resolve", ...own, ...settings], asUser(user));
    },
  };
}

export const mariadb: Flavour = { name: "MariaDB 10.11", ...mariadbIn("/usr") };

export const mariadb11: Flavour = {
  name: "MariaDB 11.8",
  ...mariadbIn(path.join(process.env["HOLDSTILL_MARIADB_11"] ?? "/var/cache/holdstill/mariadb-11", "usr")),
  setup: "mariadb-11",
};

const mysqlRoot = process.env["HOLDSTILL_MYSQL"] ?? "/var/cache/holdstill/mysql";

export const mysql9: Flavour = {
  name: "MySQL 9",
  binary: path.join(mysqlRoot, "usr/sbin/mysqld"),
  places: [
    `--basedir=${mysqlRoot}/usr`,
    `--lc-messages-dir=${mysqlRoot}/usr/share/mysql`,
    `--plugin-dir=${mysqlRoot}/usr/lib/mysql/plugin`,
    "--secure-file-priv=NULL",
  ],
  install(settings, user) {
    const { binary, places } = mysql9;
    execFileSync(binary, ["--no-defaults", "--initialize-insecure", ...places, ...settings], asUser(user));
  },
  setup: "mysql",
};

/** Why a test with that server has to be skipped; in CI that is a failure, but for those that no package of this suite has. */
export function missingServer({ binary, setup }: Flavour): string | false {
  if (process.getuid?.() !== 0) return "mounting needs root";
  if (existsSync(binary)) return false;
  if (setup !== undefined) return `no ${binary}: run sh test/setup.sh ${setup}`;
  if (process.env["CI"] === "true") throw new Error(`no ${binary}; run npm run test:setup`);
  return `no ${binary}`;
}

/** A data directory for a server of that flavour. `settings`: those that say where things lie. */
export function install(flavour: Flavour, dataDir: string, settings: Settings = {}): void {
  const user = unprivileged();
  mkdirSync(dataDir, { recursive: true });
  chownSync(dataDir, user.uid, user.gid);
  chmodSync(dataDir, 0o700);
  // Servers clear away what others have in a temporary folder that they share.
  const own = scratch("tmp", user);
  const given = { ...small, ...settings, datadir: dataDir, tmpdir: own.path };
  flavour.install(
    Object.entries(given).map(([name, value]) => `--${name}=${value}`),
    user,
  );
  own.remove();
}

/** MariaDB would reserve 8 TiB of addresses, and a process in a user-mode kernel has fewer. */
const small = { "innodb-buffer-pool-size": "64M", "loose-innodb-buffer-pool-size-max": "64M" };

export type Settings = Readonly<Record<string, string | number>>;

export interface MysqlClient extends LoadClient {
  /** The session's number at the server. */
  readonly thread: number;
  /** Ends it, also while a statement runs. */
  cut(): void;
}

/** A server of a test's own. */
export class MysqlServer {
  readonly flavour: Flavour;
  readonly dataDir: string;
  readonly socket: string;
  /** From the start of the process to the first session, ms. */
  readyMs = Number.NaN;
  readonly #settings: Settings;
  readonly #run = scratch("my", unprivileged());
  #child: ChildProcess | undefined;
  #callOff: () => void = () => {};

  constructor(flavour: Flavour, dataDir: string, settings: Settings = {}) {
    this.flavour = flavour;
    this.dataDir = dataDir;
    this.socket = path.join(this.#run.path, "socket");
    this.#settings = settings;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it, again after a halt, and answers when it takes queries. Fails with what it wrote. */
  async start(readyWithinMs = 60_000): Promise<void> {
    const settings: Settings = {
      ...small,
      datadir: this.dataDir,
      socket: this.socket,
      "pid-file": path.join(this.#run.path, "pid"),
      tmpdir: this.#run.path,
      "loose-mysqlx": "OFF",
      ...this.#settings,
    };
    const network = "port" in this.#settings ? [] : ["--skip-networking"];
    const given = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    const log = openSync(this.#log, "a");
    const begun = performance.now();
    const child = spawn(this.flavour.binary, ["--no-defaults", ...network, ...this.flavour.places, ...given], {
      ...asUser(unprivileged()),
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#child = child;
    child.unref();
    this.#callOff = atExit(() => child.kill("SIGKILL"));
    for (;;) {
      try {
        await this.query("SELECT 1");
        break;
      } catch (error) {
        const over = child.exitCode !== null || child.signalCode !== null;
        if (!over && performance.now() - begun < readyWithinMs) await sleep(10);
        else throw new Error(`${this.flavour.name} did not start:\n${this.log()}`, { cause: error });
      }
    }
    this.readyMs = performance.now() - begun;
  }

  /** A session; its owner ends it. */
  async connect(overrides: ConnectionOptions = {}): Promise<MysqlClient> {
    const own = { user: "root", socketPath: this.socket, multipleStatements: true, connectTimeout: 5000 };
    const connection = await mysql.createConnection({ ...own, ...overrides });
    // A server that a test stops ends its clients: their owners notice at the next query.
    connection.on("error", () => {});
    return {
      thread: connection.threadId,
      cut: () => connection.destroy(),
      async query(sql: string) {
        const [rows] = await connection.query<RowDataPacket[]>(sql);
        return { rows };
      },
      async end() {
        await connection.end();
      },
    };
  }

  /** In a session of its own. */
  async query<Row extends object>(sql: string): Promise<Row[]> {
    const client = await this.connect();
    try {
      return await rowsOf<Row>(client, sql);
    } finally {
      await client.end();
    }
  }

  log(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8") : "";
  }

  /** Ends it but keeps its files. SIGKILL is a crash. */
  async halt(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
    this.#callOff();
  }

  /** Ends it, and removes what the rig made for it; may come twice. */
  async stop(): Promise<void> {
    await this.halt("SIGKILL");
    this.#run.remove();
  }

  get #log(): string {
    return path.join(this.#run.path, "log");
  }
}

function asUser({ uid, gid }: User): { uid: number; gid: number; cwd: string; env: NodeJS.ProcessEnv; stdio: "pipe" } {
  return { uid, gid, cwd: "/", env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C", TZ: "UTC" }, stdio: "pipe" };
}
