import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context, ExecResult } from "holdstill/plugin";
import { codeOf } from "#kit/plugin-error.js";
import { isReportedByServer, PluginError } from "./errors.js";
import type { Options } from "./options.js";
import type { WritableSnapshot } from "./snapshot.js";
import type { Programs } from "./programs.js";
import { Session } from "./session.js";
import { settings } from "./settings.js";

/** A server on a snapshot, which only this process (and the captured server's user) can reach. */
export class SecondServer {
  /** Of its socket. */
  readonly host: string;
  readonly #snapshot: WritableSnapshot;
  readonly #programs: Programs;
  readonly #ctx: Context<Options>;
  #ended: ExecResult | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(host: string, snapshot: WritableSnapshot, programs: Programs, ctx: Context<Options>) {
    this.host = host;
    this.#snapshot = snapshot;
    this.#programs = programs;
    this.#ctx = ctx;
  }

  /** Starts it, and returns when it takes queries, which may be minutes later because of redo. The caller has to stop it. */
  static async start(snapshot: WritableSnapshot, programs: Programs, ctx: Context<Options>): Promise<SecondServer> {
    const host = mkdtempSync(path.join(tmpdir(), "holdstill-pg-"));
    const server = new SecondServer(host, snapshot, programs, ctx);
    try {
      writeFileSync(path.join(host, "pg_hba.conf"), "local all all trust\n", { mode: 0o644 });
      if (process.getuid?.() === 0) chownSync(host, snapshot.owner.uid, snapshot.owner.gid);
      server.#run();
      await (await server.#ready()).close();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** A session of the role that `identify` uses, or another. */
  async connect(user: string = this.#ctx.options.user): Promise<Session> {
    const { passwordFile: _, ...options } = this.#ctx.options;
    return await Session.open(
      { ...options, tls: "off", host: this.host, port, user },
      "holdstill verify",
      this.#ctx.signal,
    );
  }

  /** Its messages, once it has ended. */
  get log(): string {
    return this.#ended?.stderr ?? "";
  }

  /** Ends it, and removes its socket; may come twice. After an aborted call, the host has already ended it. */
  async stop(): Promise<void> {
    try {
      if (this.#ended === undefined && !this.#ctx.signal.aborted) {
        await this.#programs.run("pg_ctl", ["stop", "-D", this.#snapshot.dataDir, "-m", "fast", "-s"]);
      }
    } finally {
      await this.#running.catch(() => {});
      rmSync(this.host, { recursive: true, force: true });
    }
  }

  #run(): void {
    const own = {
      unix_socket_directories: this.host,
      port: String(port),
      hba_file: path.join(this.host, "pg_hba.conf"),
    };
    const args = ["-D", this.#snapshot.dataDir, ...settings(this.#snapshot.facts, this.#ctx.options, own)];
    this.#running = this.#programs.run("postgres", args, this.host).then((result) => {
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

/** The socket's folder is its own, so it never collides. */
const port = 5432;
