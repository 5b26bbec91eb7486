import { readFile } from "node:fs/promises";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig, type QueryResultRow } from "pg";
import { readPassword } from "#kit/password-file.js";
import { withReplyLimit } from "#kit/reply-limit.js";
import { connectError, endsSession, pooler, PluginError, queryError } from "./errors.js";
import { address, type Options } from "./options.js";

/** How long connecting may take, ms. */
const connectMs = 10_000;
/** How long a statement may wait for a lock, ms: only the catalogue is read, which is rarely locked. */
const lockMs = 5_000;
/** How long the server may take to close a session, ms. */
const closeMs = 1_000;

/**
 * From the first statement on, whatever the server, the database, and the role set for clients. No user's functions may replace those of
 * the server.
 */
const fixed = [
  "search_path=pg_catalog",
  "statement_timeout=0",
  `lock_timeout=${lockMs}`,
  "datestyle=ISO",
  "intervalstyle=postgres",
  "timezone=UTC",
  "bytea_output=hex",
  "standard_conforming_strings=on",
  "default_transaction_isolation=read\\ committed",
]
  .map((one) => `-c ${one}`)
  .join(" ");

/** One connection to the server. The caller's signal ends it. It records whether it was lost. */
export class Session {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #options: Options;
  #lost: PluginError | undefined;
  #closing = false;

  private constructor(client: Client, socket: Socket, options: Options) {
    this.#client = client;
    this.#socket = socket;
    this.#options = options;
    client.on("error", (error) => this.#lose(error));
    client.on("end", () => this.#lose(new Error("the connection was closed")));
  }

  /** Connects. `name` is how the server lists the session; a server keeps 63 bytes of it. */
  static async open(options: Options, name: string, signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    const socket = new Socket();
    const { passwordFile } = options;
    const password = passwordFile === undefined ? undefined : await readPassword(passwordFile, "PG_PASSWORD_FILE");
    const ssl = await readTls(options);
    const client = new Client({
      host: options.host,
      port: options.port,
      user: options.user,
      database: options.database,
      ...(password !== undefined && { password }),
      ssl,
      application_name: name,
      options: fixed,
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
      stream: () => socket,
    });
    const session = new Session(client, socket, options);
    try {
      await session.#withSignal(signal, async () => await client.connect());
    } catch (error) {
      session.#cut();
      signal.throwIfAborted();
      throw connectError(error, options, password);
    }
    try {
      await session.#refusePooler(signal);
      await session.#limit(signal);
      return session;
    } catch (error) {
      session.#cut();
      throw error;
    }
  }

  /** Why the session is lost, if it is. */
  get lost(): PluginError | undefined {
    return this.#lost;
  }

  async query<Row extends QueryResultRow>(signal: AbortSignal, sql: string, values: unknown[] = []): Promise<Row[]> {
    signal.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lost;
    try {
      const result = await this.#withSignal(signal, async () => await this.#client.query<Row>(sql, values));
      return result.rows;
    } catch (error) {
      signal.throwIfAborted();
      if (endsSession(error)) this.#lose(error);
      throw this.#lost ?? queryError(error, this.#options, endsSession(error));
    }
  }

  /** As `query`, for a statement that returns exactly one row. */
  async one<Row extends QueryResultRow>(signal: AbortSignal, sql: string, values: unknown[] = []): Promise<Row> {
    const [row] = await this.query<Row>(signal, sql, values);
    if (row === undefined) throw new Error(`no row: ${sql}`);
    return row;
  }

  /** How long each further statement may take, ms; 0: no limit. */
  async limitStatements(ms: number, signal: AbortSignal): Promise<void> {
    await this.query(signal, "SELECT set_config('statement_timeout', $1, false)", [String(ms)]);
  }

  /** Ends the session, and with it whatever the server ties to one: backup mode, a temporary slot. May come twice. */
  async close(): Promise<void> {
    if (this.#closing || this.#lost !== undefined) return;
    this.#closing = true;
    // A server that hangs does not respond.
    await Promise.race([this.#client.end(), sleep(closeMs, undefined, { ref: false })]);
    this.#cut();
  }

  /** A pooler cannot give its client the key of a server process, because the process changes (protocol, BackendKeyData). */
  async #refusePooler(signal: AbortSignal): Promise<void> {
    const { pid } = await this.one<{ pid: number }>(signal, "SELECT pg_backend_pid() AS pid");
    // Not in the types of pg.
    const { processID } = this.#client as Client & { processID: number | null };
    if (processID === pid) return;
    throw pooler(
      `${address(this.#options)}: a connection pooler answers, not the server (process ${pid}, not ${processID})`,
    );
  }

  /** The limits that an administrator sets for ordinary clients would end a session that has to be idle. */
  async #limit(signal: AbortSignal): Promise<void> {
    // As options, older servers refuse them.
    const none = ["idle_session_timeout", "transaction_timeout"];
    await this.query(signal, "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = ANY ($1)", [none]);
  }

  async #withSignal<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const cut = (): void => this.#cut();
    signal.addEventListener("abort", cut, { once: true });
    try {
      return await withReplyLimit(this.#socket, work);
    } finally {
      signal.removeEventListener("abort", cut);
    }
  }

  #cut(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #lose(error: unknown): void {
    if (!this.#closing) this.#lost ??= queryError(error, this.#options, true);
  }
}

/** The certificate is always checked: without that, TLS does not protect against interception. */
async function readTls({ tls, caFile, host }: Options): Promise<ClientConfig["ssl"]> {
  if (tls === "off") return false;
  try {
    return { host, ...(caFile !== undefined && { ca: await readFile(caFile, "utf8") }) };
  } catch (error) {
    throw new PluginError("PG_TLS", `${caFile} cannot be read`, "Correct the option caFile.", { cause: error });
  }
}
