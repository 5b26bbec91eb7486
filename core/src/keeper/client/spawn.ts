import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { installation } from "../../installation.js";
import type { Socket } from "node:net";
import { baseEnvironment } from "../../os/environment.js";
import { type KeeperMessage, decoder, encode, type CoreMessage } from "../wire.js";

/** Of the keeper's own complaints only the end is kept: characters. */
const COMPLAINT = 2000;
/** libuv takes no more threads than these (threadpool.c, MAX_THREADPOOL_SIZE). */
const MOST_THREADS = 1024;

/** No threads for V8: they could be caught by the memory that a held volume needs. No NODE_OPTIONS of somebody else's either. */
const node = [process.execPath, "--v8-pool-size=0"];

/** The modules that run in the keeper. */
const programs = path.join(installation.modules, "keeper/process");

let started = 0;

/** How the keeper can be started, the best way first. A scope of its own: systemd ends a service with all its processes. */
export function waysToStart(hasSystemd = existsSync("/run/systemd/system")): string[][] {
  const direct = [...node, path.join(programs, "main.js")];
  const unit = `holdstill-keeper-${process.pid}-${(started += 1)}`;
  const scope = ["systemd-run", "--scope", "--quiet", "--collect", `--unit=${unit}`, "--"];
  return hasSystemd ? [[...scope, ...direct], direct] : [direct];
}

/** What does a dead keeper's work: see rescue.ts. */
export const wayToRescue = (ledger: string): string[] => [...node, path.join(programs, "rescue.js"), ledger];

/** As many calls to the kernel as may be under way have threads of their own, so that one that blocks leaves the others theirs. */
export const environmentFor = (calls: number): Record<string, string> => ({
  ...baseEnvironment(),
  UV_THREADPOOL_SIZE: String(Math.min(calls + 4, MOST_THREADS)),
});

/** The keeper as a process, in a session of its own, and both ends of its pipe. */
export class KeeperProcess {
  readonly #child: ChildProcess;
  #complaint = "";

  constructor(
    [command = "", ...args]: readonly string[],
    calls: number,
    hear: (answer: KeeperMessage) => void,
    gone: (why: string) => void,
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
      decoder((answer) => hear(answer as KeeperMessage)),
    );
    stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#complaint = (this.#complaint + chunk).slice(-COMPLAINT);
    });
    this.#child.once("error", (error) => gone(error.message));
    this.#child.once("close", (code, signal) => gone(this.#complaint.trim() || `it ended (${signal ?? code})`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  say(word: CoreMessage): void {
    this.#child.stdin?.write(encode(word));
  }

  /** Without a word: it is to hold nothing any more. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** The end of its pipe: it releases what it holds, and goes. It is not waited for. */
  leaveAlone(): void {
    this.#child.stdin?.end();
    this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr])
      (stream as Socket | null)?.unref();
  }
}
