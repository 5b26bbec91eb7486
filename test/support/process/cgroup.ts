import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onEnd } from "./on-end.js";

/** Where version 2 of the control groups is mounted; null where there is none, or not for us. */
export function cgroupRoot(): string | null {
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((one) => one.includes(" - cgroup2 "));
  const root = line?.split(" ")[4];
  if (root === undefined || process.geteuid?.() !== 0) return null;
  const probe = path.join(root, `holdstill-probe-${process.pid}`);
  try {
    mkdirSync(probe);
    const can = existsSync(path.join(probe, "cgroup.freeze"));
    rmdirSync(probe);
    return can ? root : null;
  } catch {
    return null;
  }
}

let count = 0;

/** A control group of the test's own, laid out as systemd does for a unit; its processes end with the test. */
export class TestUnit {
  readonly unit: string;
  /** As /proc/PID/cgroup names it. */
  readonly name: string;
  readonly slice: string;
  readonly dir: string;

  constructor(t: TestContext, root: string) {
    count += 1;
    const id = `hstest-${process.pid}-${count}`;
    this.unit = `${id}.service`;
    this.slice = `/${id}.slice`;
    this.name = `${this.slice}/${this.unit}`;
    this.dir = path.join(root, this.name);
    mkdirSync(this.dir, { recursive: true });
    onEnd(t, () => this.#remove(path.join(root, this.slice)));
  }

  /** Starts a shell's text in the group. */
  start(t: TestContext, script: string, cwd: string): ChildProcess {
    const child = spawn("bash", ["-c", `echo $$ > ${this.dir}/cgroup.procs; exec bash -c "$0"`, script], {
      cwd,
      stdio: "ignore",
    });
    onEnd(t, () => child.kill("SIGKILL"));
    return child;
  }

  isFrozen(): boolean {
    return /^frozen 1$/m.test(readFileSync(path.join(this.dir, "cgroup.events"), "utf8"));
  }

  freeze(to: "0" | "1"): void {
    writeFileSync(path.join(this.dir, "cgroup.freeze"), to);
  }

  enter(pid: number): void {
    writeFileSync(path.join(this.dir, "cgroup.procs"), String(pid));
  }

  #remove(slice: string): void {
    this.freeze("0");
    writeFileSync(path.join(this.dir, "cgroup.kill"), "1");
    for (let tries = 0; ; tries += 1) {
      try {
        rmdirSync(this.dir);
        rmdirSync(slice);
        return;
      } catch (error) {
        if (tries > 200) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  }
}

const files = ["a", "b", "c", "d"];
const fillerBytes = 96 * 1024 * 1024;

/** An application that writes the same number to one file after the other, with so much between them that a copy takes a while. */
export async function startNumberWriter(t: TestContext, unit: TestUnit, data: string): Promise<ChildProcess> {
  mkdirSync(data);
  for (const name of files) {
    const filler = openSync(path.join(data, `${name}-filler`), "w");
    ftruncateSync(filler, fillerBytes / 4);
    writeFileSync(filler, Buffer.alloc(fillerBytes / 4, name));
    closeSync(filler);
  }
  const script = `n=0; while :; do n=$((n+1)); for f in ${files.join(" ")}; do printf %08d $n 1<> $f; done; done`;
  const app = unit.start(t, script, data);
  while (!existsSync(path.join(data, "d"))) await sleep(10);
  return app;
}

/** The numbers in the files: of one instant if none is more than one behind the first, and none before it. */
export function numbers(data: string): number[] {
  return files.map((name) => Number(readFileSync(path.join(data, name), "utf8")));
}
