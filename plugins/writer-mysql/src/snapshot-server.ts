import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context, ExecResult, Exposed } from "holdstill/plugin";
import type { ServerFacts } from "./facts.js";
import { isReportedByServer, PluginError } from "./errors.js";
import { repairMemory } from "#kit/repair-memory.js";
import type { Options } from "./options.js";
import { redoCapacity } from "./redo.js";
import { asUser } from "./least-rights.js";
import { makeRunFolder } from "./run-folder.js";
import { errorLines, isEnvironment } from "./server-log.js";
import { inPlaceOfOriginal, type Placement } from "./snapshot-namespace.js";
import { Session } from "./session.js";

/** exact: of that version. series: of the same first two numbers, which read each other's files after a clean stop. */
export type VersionMatch = "exact" | "series";

/** What a server on a snapshot did. */
export interface ServerRun<T> {
  readonly result: T;
  /** From the start of its process to the first session, ms. */
  readonly startMs: number;
  /** All that it wrote. */
  readonly log: string;
  readonly placement: Placement;
  readonly binary: string;
}

/**
 * Starts a server on the snapshot, which only this process can reach, works with it, and stops it cleanly. It runs with
 * the rights of the captured server's user, without network, grants, replication and events, and it purges no binary log.
 *
 * @throws PluginError if it does not start, run, or stop cleanly: MYSQL_DAMAGED for its contents, MYSQL_SNAPSHOT for any other
 * reason; MYSQL_VERSION.
 */
export async function withServer<T>(
  facts: ServerFacts,
  exposed: Exposed,
  match: VersionMatch,
  ctx: Context<Options>,
  work: (session: Session) => Promise<T>,
): Promise<ServerRun<T>> {
  if (exposed.readOnly) throw new PluginError("MYSQL_SNAPSHOT", "the snapshot is read-only", "Expose it writable.");
  if (process.getuid?.() !== 0) {
    throw new PluginError("MYSQL_SNAPSHOT", "only root can put a snapshot in the place of the data", "Run it as root.");
  }
  const binary = ctx.options.serverBinary ?? facts.binary;
  if (binary === undefined) {
    const hint = "Set the option serverBinary: the captured server's process could not be seen.";
    throw new PluginError("MYSQL_SNAPSHOT", "it is not known which program ran the server", hint);
  }
  await checkVersion(binary, facts, match, ctx);
  const placement: Placement = { trees: exposed.trees, user: facts.user };
  const folder = await makeRunFolder(facts.user, ctx);
  const runDir = folder.path;
  try {
    const begun = performance.now();
    const program = [binary, ...serverArguments(facts, runDir, ctx.options)];
    const state = { over: false };
    const writable = [runDir, ...exposed.trees.map((tree) => tree.path)];
    const running = ctx
      .exec("unshare", inPlaceOfOriginal(placement, program), { cwd: "/", writable, priority: "background" })
      .finally(() => (state.over = true));
    // It is awaited below; meanwhile its failure must not end the worker.
    running.catch(() => {});
    const session = await connect(path.join(runDir, "socket"), state, ctx).catch(async (error: unknown) => {
      ctx.signal.throwIfAborted();
      throw state.over ? unusable("start", await running) : error;
    });
    const startMs = performance.now() - begun;
    const result = await workAndStop({ session, running }, ctx.signal, work);
    const ended = await running;
    if (ended.exitCode !== 0) throw unusable("stop cleanly", ended);
    return { result, startMs: Math.round(startMs), log: `${ended.stdout}\n${ended.stderr}`, placement, binary };
  } finally {
    await folder.remove();
  }
}

/** Redo has the changed bytes of a page, not the page: 386 MiB of it changed 0.9 GiB (measured). */
const pagesPerRedo = 3;

function serverArguments(facts: ServerFacts, runDir: string, options: Options): string[] {
  const memory = `${options.repairMemoryMb ?? repairMemory(pagesPerRedo * redoCapacity(facts)) / 2 ** 20}M`;
  const own = {
    socket: path.join(runDir, "socket"),
    "pid-file": path.join(runDir, "pid"),
    tmpdir: runDir,
    "innodb-temp-tablespaces-dir": runDir,
    // The folder that a package names may exist only where the server is installed in full.
    "secure-file-priv": runDir,
    "innodb-buffer-pool-size": memory,
    // MariaDB reserves 8 TiB of addresses otherwise, which not every machine has.
    "innodb-buffer-pool-size-max": memory,
    "innodb-fast-shutdown": "1",
    // The list of the pages that the source had in memory stays as it was.
    "innodb-buffer-pool-dump-at-shutdown": "OFF",
    "innodb-buffer-pool-load-at-startup": "OFF",
    "expire-logs-days": "0",
    "binlog-expire-logs-seconds": "0",
    "max-binlog-total-size": "0",
    "event-scheduler": "OFF",
    "performance-schema": "OFF",
    "wsrep-on": "OFF",
    mysqlx: "OFF",
    "auto-generate-certs": "OFF",
    "log-error-verbosity": "3",
  };
  const settings = Object.entries({ ...facts.settings, ...own }).map(
    // loose: not every version knows each.
    ([name, value]) => `--loose-${name.replaceAll("_", "-")}=${value}`,
  );
  const plugins = facts.plugins.map(({ name, library, load }) => `--${load}=${name}=${library}`);
  const plain = ["--no-defaults", "--skip-grant-tables", "--skip-networking", "--loose-skip-slave-start"];
  return [...plain, "--loose-skip-replica-start", ...plugins, ...settings, ...options.serverArguments];
}

/** Tries until the server responds, which replays its log before it listens. */
async function connect(socket: string, state: { over: boolean }, ctx: Context<Options>): Promise<Session> {
  const { passwordFile: _password, host: _host, ...rest } = ctx.options;
  for (;;) {
    try {
      return await Session.open({ ...rest, socket, user: "root" }, ctx.signal);
    } catch (error) {
      if (state.over || isReportedByServer(error)) throw error;
      await sleep(30, undefined, { signal: ctx.signal });
    }
  }
}

/** Does the work and stops the server, whatever the result. */
async function workAndStop<T>(
  { session, running }: { session: Session; running: Promise<ExecResult> },
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  try {
    return await work(session);
  } catch (error) {
    signal.throwIfAborted();
    throw session.lost === undefined ? error : unusable("keep running", await running);
  } finally {
    // The server may end the session before it responds.
    await session.query(signal, "SHUTDOWN").catch(() => {});
    await session.close();
  }
}

async function checkVersion(
  binary: string,
  { product, version, user }: ServerFacts,
  match: VersionMatch,
  ctx: Context<Options>,
): Promise<void> {
  const output = await ctx.exec(...asUser(user, [binary, "--version"]), { cwd: "/" });
  const found = /Ver ([0-9.]+)/.exec(output.stdout)?.[1];
  const fits = found !== undefined && (match === "exact" ? found === version : series(found) === series(version));
  if (fits && /mariadb/i.test(output.stdout) === (product === "MariaDB")) return;
  const hint = "Set the option serverBinary to a program of that version.";
  const reported = found === undefined ? errorLines(output) : output.stdout.trim();
  throw new PluginError(
    "MYSQL_VERSION",
    `the snapshot is of ${product} ${version}, but ${binary} reports: ${reported}`,
    hint,
  );
}

function series(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

function unusable(what: string, ended: ExecResult): PluginError {
  const hint = "Read its messages. If a fork was repaired, the snapshot as it was cut did not change.";
  const code = isEnvironment(ended) ? "MYSQL_SNAPSHOT" : "MYSQL_DAMAGED";
  return new PluginError(code, `the server on the snapshot did not ${what}, ${errorLines(ended)}`, hint);
}
