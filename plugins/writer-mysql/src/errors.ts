import { PluginError as KitError } from "#kit/plugin-error.js";
import { address, type Options } from "./options.js";

/** The README has a table of them. */
export type ErrorCode =
  | "MYSQL_AUTH"
  | "MYSQL_BLOCKED"
  | "MYSQL_CONNECT"
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
/** ER_SERVER_SHUTDOWN, ER_NORMAL_SHUTDOWN, and what a client says when nobody listens. */
const downCodes = ["ENOENT", "ECONNREFUSED", "ER_SERVER_SHUTDOWN", "ER_NORMAL_SHUTDOWN"];

/** Why a connection did not come about. */
export function connectError(error: unknown, options: Options): PluginError {
  const { errno, code, message } = partsOf(error);
  const said = `${address(options)}: ${message}`;
  const cause = { cause: error };
  if (accessErrors.includes(errno)) {
    const hint = "Give the right user and passwordFile, or let the account in by its socket (README, Connecting).";
    return new PluginError("MYSQL_AUTH", said, hint, cause);
  }
  if (fullErrors.includes(errno)) {
    const hint = "Raise max_connections, or max_user_connections of the account; holdstill needs three.";
    return new PluginError("MYSQL_FULL", said, hint, cause);
  }
  if (downCodes.includes(code)) {
    return new PluginError(
      "MYSQL_DOWN",
      said,
      "Start the server, or correct the options socket, host and port.",
      cause,
    );
  }
  return new PluginError("MYSQL_CONNECT", said, "Check the options socket, host, port, tls and caFile.", cause);
}

/** Why a statement failed; `ended` says that the session ended with it. */
export function queryError(error: unknown, { user }: Options, ended: boolean): PluginError {
  const { errno, message } = partsOf(error);
  const cause = { cause: error };
  if (ended) {
    const hint = "Look into the server's log why it ended the session; then take the snapshot again.";
    return new PluginError("MYSQL_SESSION_LOST", `the session ended: ${message}`, hint, cause);
  }
  if (rightErrors.includes(errno)) {
    const hint = `Grant account ${user} what it lacks (README, Rights).`;
    return new PluginError("MYSQL_PRIVILEGE", `account ${user}: ${message}`, hint, cause);
  }
  return new PluginError("MYSQL_QUERY", message, "Read the message against the server's log and settings.", cause);
}

/** ER_LOCK_WAIT_TIMEOUT, ER_STATEMENT_TIMEOUT (MariaDB), ER_QUERY_TIMEOUT (MySQL). */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof PluginError && [1205, 1969, 3024].includes(partsOf(error.cause).errno);
}

/** Whether a server said it. A server that comes up or ends breaks connections off without a word. */
export function isReportedByServer(error: unknown): boolean {
  return !(error instanceof PluginError) || (partsOf(error.cause).errno > 0 && error.code !== "MYSQL_DOWN");
}

/** Whether the server, or the network, ended the session with this error. ER_CONNECTION_KILLED comes while a statement runs. */
export function endsSession(error: unknown): boolean {
  const fatal = error instanceof Error && "fatal" in error && error.fatal === true;
  return fatal || partsOf(error).errno === 0 || partsOf(error).errno === 1927;
}

/** ER_QUERY_INTERRUPTED. Somebody ended the statement; or MySQL ends the session, and says no more than that to a statement that waits. */
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
