import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { cgroupRoot } from "./cgroup.js";
import { childrenOf } from "./keepers.js";
import { onEnd } from "./on-end.js";
import type { ScriptResult } from "./run-script.js";

const binary = "/lib/systemd/systemd";

/** Beside the unit files that are given: what a socket and a service belong to, without the rest of a machine. */
const skeleton = ["sysinit", "local-fs", "basic", "sockets", "shutdown"];

/**
 * Becomes the first process of its namespaces. Nothing that it mounts, or sets in /proc/sys, is seen outside, and what is
 * unmounted outside is not kept; its units' processes end with it. `container` has it leave the hardware alone.
 */
const script = `
set -e
echo $$ >"$1/cgroup.procs"
exec unshare --pid --fork --kill-child --mount --propagation slave --uts --cgroup sh -c '
  mount --make-rslave /
  mount -t proc proc /proc
  mount --bind -o ro /proc/sys /proc/sys
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=755 tmpfs /var/lib/systemd
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  export container=holdstill-test SYSTEMD_UNIT_PATH="$1"
  exec ${binary} --system --unit=lab.target --log-target=console --show-status=no
' sh "$2"
`;

/** A real systemd with units of the test's own. */
export class Systemd {
  readonly #pid: number;
  readonly #console: () => string;

  private constructor(pid: number, console: () => string) {
    this.#pid = pid;
    this.#console = console;
  }

  /** null where none can be had: the test is skipped then, with the reason. @param wanted Units that it starts with. */
  static async boot(
    t: TestContext,
    dir: string,
    units: Record<string, string>,
    wanted: string,
  ): Promise<Systemd | null> {
    const root = cgroupRoot();
    const obstacle = existsSync(binary)
      ? root === null
        ? "there are no control groups for us"
        : null
      : "there is no systemd";
    if (obstacle !== null || root === null) {
      t.skip(obstacle ?? "");
      return null;
    }
    const folder = path.join(dir, "units");
    mkdirSync(folder);
    const targets = skeleton.map((name) => [`${name}.target`, "[Unit]\nDefaultDependencies=no\n"] as const);
    const lab = ["lab.target", `[Unit]\nRequires=${wanted}\nAfter=${wanted}\n`] as const;
    for (const [name, text] of [...targets, lab, ...Object.entries(units)])
      writeFileSync(path.join(folder, name), text);
    const group = path.join(root, `hstest-systemd-${process.pid}`);
    mkdirSync(group);
    onEnd(t, () => remove(group));
    const child = spawn("sh", ["-c", script, "sh", group, folder], { stdio: ["ignore", "pipe", "pipe"] });
    onEnd(t, () => kill(child, group));
    let told = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (told += text));
    for (let tries = 0; tries < 600; tries += 1) {
      const [pid] = childrenOf(child.pid ?? 0, "systemd");
      if (pid !== undefined) {
        const systemd = new Systemd(pid, () => told);
        if ((await systemd.run(["systemctl", "is-active", "lab.target"])).stdout === "active\n") return systemd;
      }
      if (child.exitCode !== null) break;
      await sleep(50);
    }
    t.skip(`systemd does not come up here: ${told.slice(-1000)}`);
    return null;
  }

  /** Runs a command among the processes of this systemd. */
  run(command: readonly string[]): Promise<ScriptResult> {
    return new Promise((resolve) => {
      const enter = ["--target", String(this.#pid), "--mount", "--pid", "--uts", "--cgroup", "--"];
      const child = spawn("nsenter", [...enter, ...command], { stdio: ["ignore", "pipe", "pipe"] });
      const text = { stdout: "", stderr: "" };
      child.stdout.setEncoding("utf8").on("data", (part: string) => (text.stdout += part));
      child.stderr.setEncoding("utf8").on("data", (part: string) => (text.stderr += part));
      child.once("close", (exitCode) => resolve({ ...text, exitCode }));
    });
  }

  /** Properties of a unit, as systemctl-show(1) has them. */
  async show(unit: string, ...names: string[]): Promise<string[]> {
    const { stdout } = await this.run(["systemctl", "show", unit, ...names.map((name) => `--property=${name}`)]);
    const values = new Map(stdout.split("\n").map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]));
    return names.map((name) => values.get(name) ?? "");
  }

  async becomes(unit: string, property: string, value: string, limitMs = 60_000): Promise<void> {
    const until = performance.now() + limitMs;
    for (;;) {
      const [now] = await this.show(unit, property);
      if (now === value) return;
      if (performance.now() > until)
        throw new Error(`${property} of ${unit} is ${now}, not ${value}; ${this.#console()}`);
      await sleep(100);
    }
  }
}

/** All of its processes are in the group. */
function kill(child: ChildProcess, group: string): void {
  writeFileSync(path.join(group, "cgroup.kill"), "1");
  child.kill("SIGKILL");
}

function remove(group: string): void {
  for (let tries = 0; ; tries += 1) {
    try {
      for (const name of readdirSync(group, { recursive: true, encoding: "utf8" }).toSorted().toReversed())
        if (existsSync(path.join(group, name, "cgroup.procs"))) rmdirSync(path.join(group, name));
      rmdirSync(group);
      return;
    } catch (error) {
      if (tries > 200) throw error;
      spawnSync("sleep", ["0.05"]);
    }
  }
}
