import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "./volume-group.js";

/** Debian's MariaDB on a data directory of its own, for a first proof that it runs: it knows no users. */
export class Mariadb {
  readonly #dataDir: string;
  readonly #socket = "/tmp/mariadb.sock";
  readonly #log = "/tmp/mariadb.log";
  #child: ChildProcess | undefined;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Resolves when it takes queries; fails with what it wrote when it ends before. */
  async start(): Promise<void> {
    const [uid, gid] = [Number(run("id", ["-u", "mysql"])), Number(run("id", ["-g", "mysql"]))];
    mkdirSync(this.#dataDir, { recursive: true });
    chownSync(this.#dataDir, uid, gid);
    // With no tables of privileges an empty folder is enough to start on.
    const open = ["--no-defaults", "--skip-grant-tables", "--skip-networking"];
    // It would reserve 8 TiB of addresses, and a process in a user-mode kernel has fewer.
    const small = ["--loose-innodb-buffer-pool-size-max=64M", "--innodb-buffer-pool-size=64M"];
    const log = openSync(this.#log, "w");
    const child = spawn("mariadbd", [...open, ...small, `--datadir=${this.#dataDir}`, `--socket=${this.#socket}`], {
      uid,
      gid,
      cwd: "/",
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#child = child;
    for (let tries = 300; tries > 0 && child.exitCode === null && child.signalCode === null; tries -= 1) {
      if (existsSync(this.#socket)) return;
      await sleep(100);
    }
    throw new Error(`MariaDB did not start:\n${readFileSync(this.#log, "utf8")}`);
  }

  /** Runs statements; the rows as text. */
  ask(sql: string): string {
    return run("mariadb", ["--no-defaults", `--socket=${this.#socket}`, "--skip-column-names", "-e", sql]);
  }

  /** Ends it; may come twice. A crash right after the first start on an empty folder would leave nothing to start on. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(this.#socket, { force: true });
  }
}
