import { PluginError as KitError } from "#kit/plugin-error.js";
import { DatabaseError } from "pg";
import { address, type Options } from "./options.js";

/** The README has a table of them. */
export type ErrorCode =
  | "PG_AUTH"
  | "PG_BLOCKED"
  | "PG_CONNECT"
  | "PG_DOWN"
  | "PG_NOT_LOCAL"
  | "PG_NO_SPACE"
  | "PG_PASSWORD_FILE"
  | "PG_PRIVILEGE"
  | "PG_PROGRAMS"
  | "PG_QUERY"
  | "PG_RECOVERY"
  | "PG_RUNNING"
  | "PG_SESSION_LOST"
  | "PG_SNAPSHOT"
  | "PG_POOLER"
  | "PG_STUCK"
  | "PG_TABLESPACE"
  | "PG_TLS"
  | "PG_UNEXAMINED"
  | "PG_VERSION"
  | "PG_WAL_FOREIGN"
  | "PG_WAL_GONE";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;

/** Why a connection failed. */
export function connectError(error: unknown, options: Options, password?: string): PluginError {
  const { code, message } = partsOf(error);
  const text = `${address(options)}: ${message}`;
  const cause = { cause: error };
  const isPgpass = /^[^:]*:[^:]*:[^:]*:[^:]*:./.test(password ?? "");
  // SQLSTATE class 28, and the client's message if the server asks for a password that it does not have.
  if (code.startsWith("28") || message.startsWith("SASL")) {
    const hint = isPgpass
      ? "The passwordFile looks like a .pgpass file. Write a file with the password alone in its first line."
      : "Correct passwordFile, or add a line for this role to pg_hba.conf (README, Connecting).";
    return new PluginError("PG_AUTH", text, hint, cause);
  }
  // protocol_violation: PostgreSQL knows every parameter that is sent here.
  if (code === "08P01" && /startup parameter/i.test(message))
    return pooler(`${text}: this is a connection pooler`, error);
  // cannot_connect_now: the server starts up, shuts down, or is a standby without hot_standby.
  if (code === "57P03") {
    const hint = /hot standby/i.test(message)
      ? "Set hot_standby = on on this standby, and restart it."
      : "Wait until the server accepts connections.";
    return new PluginError("PG_DOWN", text, hint, cause);
  }
  if (code === "ENOENT" || code === "ECONNREFUSED") {
    return new PluginError("PG_DOWN", text, "Start the server, or correct the options host and port.", cause);
  }
  if (/certificate|altname|does not support SSL/i.test(`${code} ${message}`)) {
    const hint =
      "Give the caFile that signed the server's certificate, and the host that it is for; see ssl in postgresql.conf.";
    return new PluginError("PG_TLS", text, hint, cause);
  }
  // too_many_connections
  if (code === "53300") {
    const hint =
      "Raise max_connections or the role's CONNECTION LIMIT, or grant pg_use_reserved_connections (16 and later).";
    return new PluginError("PG_CONNECT", text, hint, cause);
  }
  return new PluginError("PG_CONNECT", text, "Check the options host, port, user and database.", cause);
}

/** A pooler changes sessions: what belongs to one, such as backup mode or a temporary slot, would stay in another. */
export function pooler(message: string, cause?: unknown): PluginError {
  const hint = "Connect to the server itself: its own socket folder or port in the options host and port.";
  return new PluginError("PG_POOLER", message, hint, { cause });
}

/** Why a statement failed; `ended`: the session ended with it. */
export function queryError(error: unknown, options: Options, ended: boolean): PluginError {
  const { code, message } = partsOf(error);
  if (ended) {
    const hint = "Find the reason in the server's log, and take the snapshot again.";
    return new PluginError("PG_SESSION_LOST", `the session ended: ${message}`, hint, { cause: error });
  }
  if (code === "42501") {
    const hint = `Grant role ${options.user} what it lacks (README, Rights).`;
    return new PluginError("PG_PRIVILEGE", `role ${options.user}: ${message}`, hint, { cause: error });
  }
  // lock_not_available
  if (code === "55P03") {
    const hint =
      "Find the session that holds it: SELECT pid, state, query FROM pg_stat_activity, pg_locks USING (pid) WHERE granted.";
    const text = `another session keeps the server's catalogue locked: ${message}`;
    return new PluginError("PG_BLOCKED", text, hint, { cause: error });
  }
  const hint = "Compare the message with the server's log and settings.";
  return new PluginError("PG_QUERY", message, hint, { cause: error });
}

/** Whether the server, or the network, ended the session with this error. */
export function endsSession(error: unknown): boolean {
  return !(error instanceof DatabaseError) || error.severity === "FATAL" || error.severity === "PANIC";
}

/** Whether a server reported the error. A server that starts or stops closes connections without an error. */
export function isReportedByServer(error: unknown): boolean {
  return !(error instanceof PluginError) || error.cause instanceof DatabaseError;
}

function partsOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const { detail, hint } = error instanceof DatabaseError ? error : {};
  // What the server itself adds often has the reason, and the remedy.
  const more = [detail, hint].filter((one) => one !== undefined && one !== "").map((one) => `; ${one}`);
  return { code, message: `${error.message}${code === "" ? "" : ` (${code})`}${more.join("")}` };
}
