import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onEnd } from "./on-end.js";
import { type CliRun, holdstill, type Surroundings } from "./cli.js";
import { isAlive } from "./process.js";
import { tempDir } from "./temp.js";

/**
 * A real application without a writer: a process that appends each number to two files, and holds a lock while it does. Whoever
 * takes the lock holds it still; a copy in which the files differ was made while it ran.
 */
export class HookedApp {
  readonly dir: string;
  readonly data: string;
  readonly hooks: string;
  /** The pid of whoever holds the lock for a freeze is in here. */
  readonly holder: string;
  readonly #app: ChildProcess;
  readonly #lock: string;

  constructor(t: TestContext) {
    this.dir = tempDir(t);
    this.data = path.join(this.dir, "data");
    this.hooks = path.join(this.dir, "hooks");
    this.holder = path.join(this.dir, "holder");
    this.#lock = path.join(this.dir, "lock");
    for (const folder of [this.data, this.hooks]) mkdirSync(folder);
    const loop = `n=0; while :; do n=$((n+1)); { flock 9; echo $n >> a; echo $n >> b; } 9>>${this.#lock}; sleep 0.002; done`;
    this.#app = spawn("bash", ["-c", loop], { cwd: this.data, stdio: "ignore" });
    onEnd(t, () => {
      this.killHolder();
      this.#app.kill("SIGKILL");
      // It must not write any more when its folder is removed.
      while (isAlive(this.#app.pid)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    });
  }

  /** A hook as people write them: what holds the lock stays behind in the background. Every call is noted. */
  hook(name: string, { freeze = this.takeLock(), thaw = this.dropLock() }: Partial<Script> = {}): string {
    const file = path.join(this.hooks, name);
    const script = `#!/bin/bash
echo "${name} $*" >> ${this.dir}/calls
case "$1" in
  freeze) ${freeze} ;;
  thaw|freezeFail) ${thaw} ;;
esac
`;
    writeFileSync(file, script);
    chmodSync(file, 0o755);
    return file;
  }

  /** @param by What starts the holder: with setsid it outlives everybody. */
  takeLock(by: "" | "setsid" = ""): string {
    return `${by} flock ${this.#lock} bash -c 'echo $$ > ${this.holder}.new; mv ${this.holder}.new ${this.holder}; exec sleep 1000' &
    while ! [ -s ${this.holder} ]; do sleep 0.01; done`;
  }

  dropLock(): string {
    return `if [ -s ${this.holder} ]; then kill -9 $(cat ${this.holder}); rm ${this.holder}; fi; true`;
  }

  /** What the hooks were called with, in order. */
  calls(): string[] {
    const file = path.join(this.dir, "calls");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  }

  /** Whether it writes. */
  async runs(): Promise<boolean> {
    const before = this.written();
    for (let tries = 0; tries < 100; tries += 1) {
      await sleep(20);
      if (this.written() > before) return true;
    }
    return false;
  }

  /** Bytes so far. */
  written(): number {
    const file = path.join(this.data, "b");
    return existsSync(file) ? readFileSync(file).length : 0;
  }

  /** The pid of the lock's holder; undefined if there is none. */
  holderPid(): number | undefined {
    return existsSync(this.holder) ? Number(readFileSync(this.holder, "utf8")) : undefined;
  }

  killHolder(): void {
    const pid = this.holderPid();
    if (pid === undefined) return;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }

  /** Runs holdstill with writer-exec as `app` and the embedded provider. */
  run(args: readonly string[], options: object, surroundings: Surroundings = {}, limits: object = {}): Promise<CliRun> {
    const config = path.join(this.dir, "holdstill.json");
    const text = {
      stateDir: path.join(this.dir, "state"),
      exposeDir: path.join(this.dir, "exposed"),
      limits: { freeze: "20s", copy: "40s", abort: "20s", ...limits },
      plugins: [{ use: "writer-exec", as: "app", options: { paths: [this.data], tolerates: "fuzzy", ...options } }],
    };
    writeFileSync(config, JSON.stringify(text));
    return holdstill([...args, "--config", config], surroundings);
  }
}

interface Script {
  freeze: string;
  thaw: string;
}
