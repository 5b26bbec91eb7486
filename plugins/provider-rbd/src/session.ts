import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Failure } from "./failure.js";
import type { Connected, Operation } from "./messages.js";
import type { Options } from "./options.js";

/** Where distributions install the modules `rados` and `rbd`: for their own interpreter. */
export const PYTHON = "/usr/bin/python3";
const PROGRAM = path.join(import.meta.dirname, "../client.py");
/** Of its last words, as much is kept, characters. */
const WORDS = 2000;

interface Pending {
  readonly resolve: (result: unknown) => void;
  /** null: the process ended without an answer. */
  readonly reject: (reason: Failure | null) => void;
}

/** One process of client.py, with its connection. It ends with the worker, because its stdin does. */
export class Session {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #next = 1;
  #words = "";
  #state: "alive" | "ended" = "alive";
  readonly connected: Promise<Connected>;

  constructor({ conf, user, keyring }: Options) {
    const settings = JSON.stringify({ conf, user, ...(keyring === undefined ? {} : { keyring }) });
    // -I: neither the environment nor the working directory has modules. -B: nothing is written to the plugin's folder.
    const child = spawn(PYTHON, ["-I", "-B", PROGRAM, settings], { stdio: "pipe", cwd: "/" });
    this.#child = child;
    child.on("error", (error) => this.#end(error.message));
    child.on("close", (_, signal) => this.#end(signal === null ? "" : `\n${signal}`));
    child.stdin.on("error", () => this.#end());
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#words = (this.#words + text).slice(-WORDS)));
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    // It does not keep this process alive: the limit of a request does, while there is one.
    child.unref();
    for (const stream of child.stdio) if (stream instanceof Socket) stream.unref();
    this.connected = this.#answer<Connected>(0);
    this.connected.catch(() => null);
  }

  get state(): "alive" | "ended" {
    return this.#state;
  }

  /** The last line that it wrote to stderr. */
  get words(): string {
    return this.#words.trim().split("\n").at(-1) ?? "";
  }

  /** Rejects with a `Failure`, or with null if it ended. */
  send(op: Operation, args: object): Promise<unknown> {
    const id = this.#next;
    this.#next += 1;
    const answer = this.#answer<unknown>(id);
    if (this.#state === "alive") this.#child.stdin?.write(`${JSON.stringify({ id, op, args })}\n`);
    return answer;
  }

  /** Whatever it is doing, it does not go on with it. */
  kill(): void {
    this.#child.kill("SIGKILL");
    this.#end();
  }

  #answer<T>(id: number): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: (result) => resolve(result as T), reject });
      if (this.#state === "ended") this.#end();
    });
  }

  #take(line: string): void {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: Failure };
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(result);
    else pending?.reject(error);
    // Without a connection it is of no use.
    if (id === 0 && error !== undefined) this.kill();
  }

  #end(words = ""): void {
    this.#state = "ended";
    this.#words += words;
    for (const { reject } of this.#pending.values()) reject(null);
    this.#pending.clear();
  }
}
