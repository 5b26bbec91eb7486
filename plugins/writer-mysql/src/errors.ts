import { PluginError as KitError } from "#kit/plugin-error.js";
import { address, type Options } from "./options.js";

/** The README has a table of them. */
export type ErrorCode =
  | "MYSQL_AUTH"
  | "MYSQL_BLOCKED"
  | "MYSQL_CONNECT"
  | "MYSQL_DAMAGED"
  | "MYSQL_DOWN"
  | "MYSQL_FILE"
  | "MYSQL_FULL"
  | "MYSQL_NOT_LOCAL"
  | "MYSQL_PRIVILEGE"
  | "MYSQL_QUERY"
  | "MYSQL_RUNNING"
  | "MYSQL_SESSION_LOST"
  | "MYSQL_SNAPSHOT"
  | "MYSQL_STUCK"
  | "MYSQL_VERSION";

/** Of this plugin: the compiler knows the codes. */
export const PluginError = KitError<ErrorCode>;
export type PluginError = KitError<ErrorCode>;

/** ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_DBACCESS_DENIED_ERROR, ER_ACCOUNT_HAS_BEEN_LOCKED, ER_MUST_CHANGE_PASSWORD. */
const accessErrors = [1045, 1698, 1044, 3118, 4151, 1820];
/** ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED. */
const fullErrors = [1040, 1203, 1226];
/** ER_SPECIFIC_ACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_ACCESS_DENIED_ERROR. */
const rightErrors = [1227, 1142, 1045];
/** ER_SERVER_SHUTDOWN, ER_NORMAL_SHUTDOWN, and the client's codes if no server listens. */
const downCodes = ["ENOENT", "ECONNREFUSED", "ER_SERVER_SHUTDOWN", "ER_NORMAL_SHUTDOWN"];

/** Why a connection failed. */
export function connectError(error: unknown, options: Options): PluginError {
  const { errno, code, message } = partsOf(error);
  const text = `${address(options)}: ${message}`;
  const cause = { cause: error };
  // The driver's own message is a note to its authors.
  const plugin = /unknown plugin ([\w-]+)|using (mysql_clear_password)/.exec(message)?.slice(1).find(Boolean);
  if (plugin !== undefined) {
    const unsupported = `${address(options)} must use the authentication plugin ${plugin}, which is not supported`;
    const hint =
      "Let the account in by unix_socket or auth_socket, mysql_native_password, or caching_sha2_password (README, Connecting).";
    return new PluginError("MYSQL_AUTH", unsupported, hint, cause);
  }
  if (accessErrors.includes(errno)) {
    const hint = "Correct user and passwordFile, or let the account in by its socket (README, Connecting).";
    return new PluginError("MYSQL_AUTH", text, hint, cause);
  }
  if (fullErrors.includes(errno)) {
    const hint = "Raise max_connections, or max_user_connections of the account; holdstill needs three.";
    return new PluginError("MYSQL_FULL", text, hint, cause);
  }
  if (downCodes.includes(code)) {
    return new PluginError(
      "MYSQL_DOWN",
      text,
      "Start the server, or correct the options socket, host and port.",
      cause,
    );
  }
  return new PluginError("MYSQL_CONNECT", text, "Check the options socket, host, port, tls and caFile.", cause);
}

/** Why a statement failed; `ended`: the session ended with it. */
export function queryError(error: unknown, { user }: Options, ended: boolean): PluginError {
  const { errno, message } = partsOf(error);
  const cause = { cause: error };
  if (ended) {
    const hint = "Find the reason in the server's log, and take the snapshot again.";
    return new PluginError("MYSQL_SESSION_LOST", `the session ended: ${message}`, hint, cause);
  }
  if (rightErrors.includes(errno)) {
    const hint = `Grant account ${user} what it lacks (README, Rights).`;
    return new PluginError("MYSQL_PRIVILEGE", `account ${user}: ${message}`, hint, cause);
  }
  return new PluginError("MYSQL_QUERY", message, "Compare the message with the server's log and settings.", cause);
}

/** ER_LOCK_WAIT_TIMEOUT, ER_STATEMENT_TIMEOUT (MariaDB), ER_QUERY_TIMEOUT (MySQL). */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof PluginError && [1205, 1969, 3024].includes(partsOf(error.cause).errno);
}

/** Whether a server reported the error. A server that starts or stops closes connections without an error. */
export function isReportedByServer(error: unknown): boolean {
  return !(error instanceof PluginError) || (partsOf(error.cause).errno > 0 && error.code !== "MYSQL_DOWN");
}

/** Whether the server, or the network, ended the session with this error. ER_CONNECTION_KILLED comes while a statement runs. */
export function endsSession(error: unknown): boolean {
  const fatal = error instanceof Error && "fatal" in error && error.fatal === true;
  return fatal || partsOf(error).errno === 0 || partsOf(error).errno === 1927;
}

/** ER_QUERY_INTERRUPTED. The statement was killed; or MySQL ends the session, and reports only that to a statement that waits. */
export function isInterruption(error: unknown): boolean {
  return partsOf(error).errno === 1317;
}

function partsOf(error: unknown): { errno: number; code: string; message: string } {
  if (!(error instanceof Error)) return { errno: 0, code: "", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  // A system call's errno is negative; the server's error numbers begin at 1000.
  const errno = "errno" in error && typeof error.errno === "number" && error.errno > 0 ? error.errno : 0;
  const text = error.message === "" ? "no reason given" : error.message;
  return { errno, code, message: code === "" ? text : `${text} (${code})` };
}
