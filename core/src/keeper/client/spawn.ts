import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { installation } from "../../installation.js";
import type { Socket } from "node:net";
import { baseEnvironment } from "../../os/environment.js";
import { installedProgram } from "../../os/path/programs.js";
import { type KeeperMessage, decoder, encode, type CoreMessage } from "../wire.js";

/** How much is kept of the end of the keeper's stderr: characters. */
const STDERR_KEPT = 2000;
/** libuv's limit (threadpool.c, MAX_THREADPOOL_SIZE). */
const MOST_THREADS = 1024;

/** Without threads of V8, which could block on memory that a held volume needs; and without NODE_OPTIONS of the environment. */
const node = [process.execPath, "--v8-pool-size=0"];

/** The modules that run in the keeper. */
const programs = path.join(installation.modules, "keeper/process");

let started = 0;

/** The commands that start the keeper, the best first. It gets its own scope, because systemd ends a service with all its processes. */
export function keeperCommands(hasSystemd = existsSync("/run/systemd/system")): string[][] {
  const direct = [...node, path.join(programs, "main.js")];
  const unit = `holdstill-keeper-${process.pid}-${(started += 1)}`;
  const systemdRun = hasSystemd ? installedProgram("systemd-run") : null;
  if (systemdRun === null) return [direct];
  return [[systemdRun, "--scope", "--quiet", "--collect", `--unit=${unit}`, "--", ...direct], direct];
}

/** The command that finishes a dead keeper's work: see process/rescue.ts. */
export const rescueCommand = (register: string): string[] => [...node, path.join(programs, "rescue.js"), register];

/** Each call to the kernel that may be under way has its own thread, so that one that blocks takes none from the others. */
const environmentFor = (calls: number): Record<string, string> => ({
  ...baseEnvironment(),
  UV_THREADPOOL_SIZE: String(Math.min(calls + 4, MOST_THREADS)),
});

/** The keeper as a process in its own session, and the core's end of its pipes. */
export class KeeperProcess {
  readonly #child: ChildProcess;
  #stderr = "";

  /** `onEnd` gets the end of its stderr, or how it ended. */
  constructor(
    [command = "", ...args]: readonly string[],
    calls: number,
    onMessage: (message: KeeperMessage) => void,
    onEnd: (reason: string) => void,
  ) {
    this.#child = spawn(command, args, {
      detached: true,
      cwd: "/",
      env: environmentFor(calls),
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on("error", () => undefined);
    stdout?.setEncoding("utf8").on(
      "data",
      decoder((message) => onMessage(message as KeeperMessage)),
    );
    stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr = (this.#stderr + chunk).slice(-STDERR_KEPT);
    });
    this.#child.once("error", (error) => onEnd(error.message));
    this.#child.once("close", (code, signal) => onEnd(this.#stderr.trim() || `it ended (${signal ?? code})`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: CoreMessage): void {
    this.#child.stdin?.write(encode(message));
  }

  /** At once: afterwards it can hold nothing more. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Ends its input: it releases what it holds, and exits. The core does not wait for it. */
  abandon(): void {
    this.#child.stdin?.end();
    this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr])
      (stream as Socket | null)?.unref();
  }
}
