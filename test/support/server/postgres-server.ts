import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig, type QueryResultRow } from "pg";
import { atExit } from "../process/at-exit.js";
import { requiredBindir } from "./postgres-binaries.js";
import { scratch, type Scratch } from "../storage/scratch.js";
import { unprivileged, type User } from "../process/unprivileged.js";

export interface StartOptions {
  /** Folder with initdb and postgres. Default: those of the npm package. */
  bindir?: string;
  /** Server settings, as in postgresql.conf. By default it listens on its Unix socket only. */
  config?: Record<string, string | number>;
  /** Default 5432: the socket folder is the server's own, so that servers never collide. */
  port?: number;
  /** How long a start may take, ms. */
  readyWithinMs?: number;
}

export interface NewClusterOptions extends StartOptions {
  /** The data directory to make. Default: one that is removed when the server is stopped. */
  dataDir?: string;
  /** Further arguments of initdb, for example `--waldir=…`. */
  initdb?: readonly string[];
}

/** fast: clients are cut off, then a clean stop. immediate: as if it crashed (manual, "Shutting Down the Server"). */
export type StopMode = "fast" | "immediate";

const stopSignal = { fast: "SIGINT", immediate: "SIGQUIT" } as const satisfies Record<StopMode, NodeJS.Signals>;

/** A server that ended, or was not ready in time; `log` is what it wrote. */
export class PostgresNotReady extends Error {
  override readonly name = "PostgresNotReady";
  readonly log: string;

  constructor(problem: string, log: string) {
    super(`${problem}\n${log}`);
    this.log = log;
  }
}

/**
 * A new cluster and its server. `config` is only this start's: it is on the command line, not in the data directory, so that
 * a snapshot of the data directory starts with settings of its own.
 */
export async function startPostgres(options: NewClusterOptions = {}): Promise<PostgresServer> {
  const user = unprivileged();
  const bindir = options.bindir ?? requiredBindir();
  const own = options.dataDir === undefined ? scratch("pg", user) : undefined;
  const dataDir = options.dataDir ?? path.join(own?.path ?? "", "data");
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    chownSync(dataDir, user.uid, user.gid);
    // Checksums, so that a torn page in a snapshot is an error and not a wrong balance.
    const always = [
      "--username=postgres",
      "--auth=trust",
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
      "--data-checksums",
    ];
    execFileSync(path.join(bindir, "initdb"), [...always, ...(options.initdb ?? []), `--pgdata=${dataDir}`], {
      ...asUser(user),
      stdio: "pipe",
    });
    return await startExisting(dataDir, { ...options, bindir }, own);
  } catch (error) {
    own?.remove();
    throw error;
  }
}

/** Starts a server on a data directory that exists, a restored one for example. Fails with PostgresNotReady. */
export async function startExisting(
  dataDir: string,
  options: StartOptions = {},
  own?: Scratch,
): Promise<PostgresServer> {
  const bindir = options.bindir ?? requiredBindir();
  const server = new PostgresServer(bindir, dataDir, options, own);
  await server.start();
  return server;
}

/**
 * Makes a copied data directory the server's own again. PostgreSQL starts on nothing else, and with foreign files in pg_wal
 * it starts and fails at the next segment.
 */
export function adopt(dataDir: string): void {
  const { uid, gid } = unprivileged();
  execFileSync("chown", ["-R", `${uid}:${gid}`, dataDir]);
  chmodSync(dataDir, 0o700);
}

/** A PostgreSQL server of a test's or the demo's own. Dispose of it with `await using` or `onEnd(t, () => server.stop())`. */
export class PostgresServer implements AsyncDisposable {
  readonly bindir: string;
  readonly dataDir: string;
  readonly port: number;
  readonly socketDir: string;
  /** From the start of the process to the first moment that it takes queries, ms. */
  readyMs = Number.NaN;
  readonly #options: StartOptions;
  readonly #folders: Scratch[];
  #child: ChildProcess | undefined;
  #callOff: () => void = () => {};

  /** `own`: a folder that is removed with the server. */
  constructor(bindir: string, dataDir: string, options: StartOptions, own?: Scratch) {
    const run = scratch("run", unprivileged());
    this.bindir = bindir;
    this.dataDir = dataDir;
    this.port = options.port ?? 5432;
    this.socketDir = run.path;
    this.#options = options;
    this.#folders = own === undefined ? [run] : [run, own];
  }

  /** Process id of the server's first process; undefined while it is down. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How to connect as superuser. */
  get connection(): ClientConfig {
    return { host: this.socketDir, port: this.port, user: "postgres", database: "postgres" };
  }

  /** A connected client; its owner ends it. */
  async connect(overrides: ClientConfig = {}): Promise<Client> {
    const client = new Client({ ...this.connection, ...overrides });
    // A server that a test stops ends its clients: their owners notice at the next query.
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  /** One statement in a session of its own. */
  async query<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const client = await this.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** What the server wrote since this object was made. */
  log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, "utf8") : "";
  }

  /** Starts the server, again after a stop that kept the data, and answers when it takes queries. */
  async start(): Promise<void> {
    mkdirSync(this.socketDir, { recursive: true });
    const settings = {
      listen_addresses: "",
      unix_socket_directories: this.socketDir,
      port: this.port,
      // In the data directory: a server that is killed would leave a file in /dev/shm.
      dynamic_shared_memory_type: "mmap",
    };
    const given = Object.entries({ ...settings, ...this.#options.config }).flatMap(([name, value]) => [
      "-c",
      `${name}=${value}`,
    ]);
    const log = openSync(this.#logFile, "a");
    const begun = performance.now();
    const child = spawn(path.join(this.bindir, "postgres"), ["-D", this.dataDir, ...given], {
      ...asUser(unprivileged()),
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#child = child;
    // A server that nobody stopped must not keep this process alive; it ends with it.
    child.unref();
    this.#callOff = atExit(() => child.kill("SIGQUIT"));
    try {
      await this.#ready(child, begun + (this.#options.readyWithinMs ?? 60_000));
    } catch (error) {
      const wrote = this.log();
      await this.stop("immediate");
      throw new PostgresNotReady(error instanceof Error ? error.message : String(error), wrote);
    }
    this.readyMs = performance.now() - begun;
  }

  /** Another server of the same programs on another data directory. */
  async startOn(dataDir: string, config?: Record<string, string | number>): Promise<PostgresServer> {
    return await startExisting(dataDir, { bindir: this.bindir, ...(config && { config }) });
  }

  /** Ends the server but keeps its files, so that it can be started again. */
  async halt(mode: StopMode = "fast"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const gone = once(child, "exit");
    child.kill(stopSignal[mode]);
    const inTime = await Promise.race([gone.then(() => true), sleep(30_000, false, { ref: false })]);
    if (!inTime) {
      child.kill("SIGKILL");
      await gone;
    }
    this.#callOff();
  }

  /** Ends the server and removes what the rig made for it; may come twice. */
  async stop(mode: StopMode = "fast"): Promise<void> {
    await this.halt(mode);
    for (const folder of this.#folders) folder.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #logFile(): string {
    return path.join(this.socketDir, "server.log");
  }

  /** Waits as pg_ctl does: for line 8 of postmaster.pid (src/include/utils/pidfile.h). */
  async #ready(child: ChildProcess, deadline: number): Promise<void> {
    const file = path.join(this.dataDir, "postmaster.pid");
    while (performance.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error("the server ended while starting");
      const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
      const status = lines[7]?.trim();
      if (Number(lines[0]) === child.pid && (status === "ready" || status === "standby")) return;
      await sleep(10);
    }
    throw new Error("the server was not ready in time");
  }
}

function asUser({ uid, gid }: User): { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv } {
  const env = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
  // Only root may name another user, and it must not be started in a folder that this user cannot enter.
  return process.getuid?.() === 0 ? { uid, gid, cwd: "/", env } : { cwd: "/", env };
}
