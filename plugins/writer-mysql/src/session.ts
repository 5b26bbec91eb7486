import { readFile } from "node:fs/promises";
import { isIP, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import mysql, { type ConnectionOptions, type RowDataPacket } from "mysql2";
import { readPassword } from "#kit/password-file.js";
import { withReplyLimit } from "#kit/reply-limit.js";
import type { Endpoint } from "./process-sockets.js";
import { connectError, endsSession, isInterruption, PluginError, queryError } from "./errors.js";
import type { Options } from "./options.js";

/** How long connecting may take, ms. */
const connectMs = 10_000;
/** How long the server may take to close a session, ms. */
const closeMs = 1_000;

/** One connection to the server. The caller's signal ends it. It records whether it was lost. */
export class Session {
  readonly #connection: mysql.Connection;
  readonly #options: Options;
  readonly #stream: Socket;
  #lost: PluginError | undefined;
  #closing = false;
  #ports = { localPort: 0, remotePort: 0 };

  private constructor(connection: mysql.Connection, options: Options) {
    this.#connection = connection;
    this.#options = options;
    // The types do not have it. Under TLS, the socket no longer knows its ports.
    const { stream } = connection as unknown as { stream: Socket };
    this.#stream = stream;
    stream.once("connect", () => {
      const { localPort = 0, remotePort = 0 } = stream;
      this.#ports = { localPort, remotePort };
    });
    connection.on("error", (error) => this.#lose(error));
    connection.on("end", () => this.#lose(new Error("the connection was closed")));
  }

  /** Connects, with other limits for locks and statements than the server sets for ordinary clients. */
  static async open(options: Options, signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    const connection = mysql.createConnection(await settings(options));
    const session = new Session(connection, options);
    try {
      await session.#withSignal(signal, (done) => connection.connect(done));
    } catch (error) {
      session.#cut();
      signal.throwIfAborted();
      throw connectError(error, options);
    }
    try {
      await session.#setLimits(signal);
      return session;
    } catch (error) {
      session.#cut();
      throw error;
    }
  }

  /** Where the server's process has the other end. */
  get endpoint(): Endpoint {
    const { host, socket } = this.#options;
    return host === undefined ? { kind: "socket", path: socket } : { kind: "tcp", ...this.#ports };
  }

  /** Why the session is lost, if it is. */
  get lost(): PluginError | undefined {
    return this.#lost;
  }

  async query<Row>(signal: AbortSignal, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    signal.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lost;
    try {
      const rows = await this.#withSignal<unknown>(signal, (done) => {
        this.#connection.query<RowDataPacket[]>(sql, [...values], done);
      });
      return Array.isArray(rows) ? (rows as Row[]) : [];
    } catch (error) {
      signal.throwIfAborted();
      const isOver = endsSession(error) || (isInterruption(error) && !(await this.#responds(signal)));
      signal.throwIfAborted();
      if (isOver) this.#lose(error);
      throw this.#lost ?? queryError(error, this.#options, isOver);
    }
  }

  /** As `query`, for a statement that returns exactly one row. */
  async one<Row>(signal: AbortSignal, sql: string, values: readonly unknown[] = []): Promise<Row> {
    const [row] = await this.query<Row>(signal, sql, values);
    if (row === undefined) throw new Error(`no row: ${sql}`);
    return row;
  }

  /** Ends the session, and with it every lock that it has. May come twice. */
  async close(): Promise<void> {
    if (this.#closing || this.#lost !== undefined) return;
    this.#closing = true;
    // A server that hangs does not respond.
    const bye = new Promise<void>((resolve) => this.#connection.end(() => resolve()));
    await Promise.race([bye, sleep(closeMs, undefined, { ref: false })]);
    this.#cut();
  }

  async #responds(signal: AbortSignal): Promise<boolean> {
    return await this.#withSignal(signal, (done) => this.#connection.ping(done)).then(
      () => true,
      () => false,
    );
  }

  /**
   * What an administrator sets for ordinary clients does not apply: an idle session would end, large answers would be refused or cut, and
   * messages would be in another language. The limit of locks is a day.
   */
  async #setLimits(signal: AbortSignal): Promise<void> {
    const { lockSeconds } = this.#options;
    const general = [
      "wait_timeout = 86400, net_read_timeout = 600, net_write_timeout = 600, autocommit = 1, sql_mode = ''",
      "sql_big_selects = 1, sql_select_limit = 18446744073709551615, group_concat_max_len = 1048576, lc_messages = 'en_US', time_zone = '+00:00'",
    ];
    await this.query(signal, `SET SESSION lock_wait_timeout = ${lockSeconds}, ${general.join(", ")}`);
    const { version } = await this.one<{ version: string }>(signal, "SELECT version() AS version");
    // Each product has a different name for the limit of a statement.
    const limit = version.includes("MariaDB") ? "max_statement_time" : "max_execution_time";
    await this.query(signal, `SET SESSION ${limit} = 0`);
  }

  async #withSignal<T>(
    signal: AbortSignal,
    work: (done: (error?: Error | null, value?: T) => void) => void,
  ): Promise<T> {
    const exchange = new Promise<T>((resolve, reject) => {
      const cut = (): void => {
        this.#cut();
        reject(new Error("aborted"));
      };
      signal.addEventListener("abort", cut, { once: true });
      work((error, value) => {
        signal.removeEventListener("abort", cut);
        if (error === null || error === undefined) resolve(value as T);
        else reject(error);
      });
    });
    return await withReplyLimit(this.#stream, () => exchange);
  }

  #cut(): void {
    this.#closing = true;
    this.#connection.destroy();
  }

  #lose(error: unknown): void {
    if (!this.#closing) this.#lost ??= queryError(error, this.#options, true);
  }
}

async function settings(options: Options): Promise<ConnectionOptions> {
  const { socket, host, port, user, passwordFile, tls, caFile } = options;
  const password = passwordFile === undefined ? undefined : await passwordIn(passwordFile);
  const common: ConnectionOptions = {
    user,
    ...(password !== undefined && { password }),
    connectTimeout: connectMs,
    // A position in a log is longer than what a number of JavaScript's holds exactly.
    supportBigNumbers: true,
    dateStrings: true,
  };
  if (host === undefined) return { ...common, socketPath: socket };
  if (tls === "verify" && isIP(host) !== 0) {
    // mysql2 3.24 checks a certificate against "localhost" where it has no name.
    const hint = "Give the option host the name that the server's certificate is for, or set tls: off.";
    throw new PluginError("MYSQL_CONNECT", `a certificate cannot be checked for the address ${host}`, hint);
  }
  const ca = caFile === undefined ? undefined : await readCertificates(caFile);
  const ssl = { rejectUnauthorized: true, verifyIdentity: true, ...(ca !== undefined && { ca }) };
  return { ...common, host, port, ...(tls === "verify" && { ssl }) };
}

/** The clients' option files have the password too, but not in this form (manual, "Using Option Files"). */
async function passwordIn(file: string): Promise<string> {
  const password = await readPassword(file, "MYSQL_FILE");
  if (!/^\s*(\[[\w-]+\]|password\s*=.*)\s*$|\0/.test(password)) return password;
  const hint = "Write the password alone into the first line of another file, and chmod it to 600.";
  throw new PluginError("MYSQL_FILE", `${file} is an option file like my.cnf, not a file with a password`, hint);
}

async function readCertificates(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const hint = "Name the file that ssl_ca or the server's own certificate authority has.";
    throw new PluginError("MYSQL_FILE", `${file} cannot be read`, hint, { cause: error });
  }
}
