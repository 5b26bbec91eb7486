import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context, ExecResult } from "holdstill/plugin";
import { codeOf } from "#kit/plugin-error.js";
import { buffersMb } from "./buffers.js";
import { isReportedByServer, PluginError } from "./errors.js";
import type { Options } from "./options.js";
import type { WritableSnapshot } from "./snapshot.js";
import type { Programs } from "./programs.js";
import { Session } from "./session.js";
import { settings } from "./settings.js";

/** The socket's folder is its own, so it never collides. */
const port = 5432;
const hbaFile = "holdstill_hba.conf";

/**
 * A server on a snapshot, which only this process (and the captured server's user) can reach. Its socket is in the snapshot's data
 * directory, and is discarded with it.
 */
export class SecondServer {
  readonly #snapshot: WritableSnapshot;
  readonly #programs: Programs;
  readonly #ctx: Context<Options>;
  #ended: ExecResult | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(snapshot: WritableSnapshot, programs: Programs, ctx: Context<Options>) {
    this.#snapshot = snapshot;
    this.#programs = programs;
    this.#ctx = ctx;
  }

  /** Starts it, and returns when it takes queries, which may be minutes later because of redo. The caller has to stop it. */
  static async start(snapshot: WritableSnapshot, programs: Programs, ctx: Context<Options>): Promise<SecondServer> {
    const { folder } = snapshot;
    for (const name of [hbaFile, socketName, `${socketName}.lock`]) folder.remove(name);
    folder.write(hbaFile, "create", "local all all trust\n");
    const server = new SecondServer(snapshot, programs, ctx);
    try {
      server.#run();
      await (await server.#ready()).close();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** How the server's own programs reach it, which work in its data directory. */
  get target(): string[] {
    return ["--host", "/proc/self/cwd", "--port", String(port)];
  }

  /** A session of the role that `identify` uses, or another. */
  async connect(user: string = this.#ctx.options.user): Promise<Session> {
    const { passwordFile: _, ...options } = this.#ctx.options;
    // By the descriptor of the folder: a socket's path may have 107 bytes at most (unix(7)).
    const host = this.#snapshot.folder.at(".");
    return await Session.open({ ...options, tls: "off", host, port, user }, "holdstill verify", this.#ctx.signal);
  }

  /** Its messages, once it has ended. */
  get log(): string {
    return this.#ended?.stderr ?? "";
  }

  /** Ends it; may come twice. After an aborted call, the host has already ended it. */
  async stop(): Promise<void> {
    try {
      if (this.#ended === undefined && !this.#ctx.signal.aborted) {
        await this.#programs.run("pg_ctl", ["stop", "-D", this.#snapshot.dataDir, "-m", "fast", "-s"]);
      }
    } finally {
      await this.#running.catch(() => {});
    }
  }

  #run(): void {
    const own = {
      // The data directory, in which a server works.
      unix_socket_directories: ".",
      unix_socket_permissions: "0700",
      port: String(port),
      hba_file: path.join(this.#snapshot.dataDir, hbaFile),
    };
    const buffers = buffersMb(this.#snapshot, this.#ctx.options);
    const args = ["-D", this.#snapshot.dataDir, ...settings(this.#snapshot.facts, buffers, own)];
    this.#running = this.#programs.run("postgres", args).then((result) => {
      this.#ended = result;
    });
    // A caller that awaits it gets the error. Until then, nothing handles it.
    this.#running.catch(() => {});
  }

  async #ready(): Promise<Session> {
    for (;;) {
      try {
        return await this.connect();
      } catch (error) {
        if (this.#ended !== undefined) throw this.#notStarted();
        if (codeOf(error) !== "PG_DOWN" && isReportedByServer(error)) throw error;
      }
      await sleep(20, undefined, { signal: this.#ctx.signal });
    }
  }

  #notStarted(): PluginError {
    const lines = this.log.split("\n").filter((line) => /FATAL|PANIC|ERROR/.test(line));
    const messages = lines.slice(-3).join("; ");
    return new PluginError("PG_RECOVERY", `no server starts on the snapshot: ${messages}`, "Take the snapshot again.");
  }
}

const socketName = `.s.PGSQL.${port}`;
