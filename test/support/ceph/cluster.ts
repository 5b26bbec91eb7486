/**
 * A Ceph cluster of one node, as ordinary processes on the loopback interface: one monitor, one OSD in memory, no manager. It is up in 3
 * to 6 s. Its size of one and, unless cephx is asked for, its free access are those of a test double.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { atExit } from "../process/at-exit.js";

/** Of one command, ms: a client waits for ever for a monitor that is away. */
const LIMIT_MS = 60_000;

export const POOL = "rbd";

export class Cluster {
  readonly conf: string;
  readonly #folder: string;
  readonly #processes = new Map<string, ChildProcess>();

  constructor(auth: "none" | "cephx" = "none") {
    this.#folder = mkdtempSync(path.join(tmpdir(), "holdstill-ceph-"));
    this.conf = path.join(this.#folder, "ceph.conf");
    atExit(() => this.#remove());
    for (const name of ["mon", "osd", "run"]) mkdirSync(path.join(this.#folder, name));
    const fsid = randomUUID();
    const address = `v2:127.0.0.1:${freePort()}`;
    writeFileSync(this.conf, configOf(this.#folder, fsid, address, auth));
    const map = path.join(this.#folder, "monmap");
    this.run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", `[${address}]`, map);
    const secret = auth === "cephx" ? ["--keyring", this.#makeKeys()] : [];
    this.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map, ...secret);
    this.start("mon");
    const uuid = randomUUID();
    this.run("ceph", "--connect-timeout", "60", "osd", "new", uuid);
    if (auth === "cephx") this.user("osd.0", path.join("osd", "keyring"), "mon", "allow profile osd", "osd", "allow *");
    this.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", uuid);
    this.start("osd");
    for (let tries = 0; !this.run("ceph", "osd", "stat").includes("1 up"); tries += 1) {
      if (tries === 300)
        throw new Error(`the OSD does not come up: ${readFileSync(`${this.#folder}/osd.out`, "utf8")}`);
      pause(200);
    }
    this.pool(POOL);
  }

  /** Makes a pool. */
  pool(name: string): void {
    this.run("ceph", "osd", "pool", "create", name, "8", "8");
    this.run("ceph", "osd", "pool", "application", "enable", name, "rbd");
    this.rbd("pool", "init", name);
  }

  /** Makes a cephx user. @returns The file with the key. */
  user(name: string, file: string, ...caps: string[]): string {
    const keyring = path.join(this.#folder, file);
    this.run("ceph", "auth", "get-or-create", name, ...caps, "-o", keyring);
    return keyring;
  }

  rbd(...args: string[]): string {
    return this.run("rbd", ...args);
  }

  /** The names of all images of a pool, without those of this cluster's other tests. */
  images(pool = POOL, namespace = ""): string[] {
    const at = namespace === "" ? [pool] : [`${pool}/${namespace}`];
    return JSON.parse(this.rbd("ls", ...at, "--format", "json")) as string[];
  }

  /** Of an image, with those of groups. */
  snapshots(image: string, pool = POOL): string[] {
    const text = this.rbd("snap", "ls", "--all", "--format", "json", "--pool", pool, "--image", image);
    return (JSON.parse(text) as { name: string }[]).map(({ name }) => name);
  }

  run(command: string, ...args: string[]): string {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      encoding: "utf8",
      timeout: LIMIT_MS,
      env: { ...process.env, CEPH_CONF: this.conf, CEPH_ARGS: "" },
    });
    if (status === 0) return stdout;
    throw new Error(`${command} ${args.join(" ")}: ${stderr}`, { cause: error });
  }

  start(daemon: "mon" | "osd"): void {
    const out = openSync(path.join(this.#folder, `${daemon}.out`), "a");
    const args = [...(daemon === "mon" ? ["-i", "a"] : ["-i", "0"]), "-f", "-c", this.conf];
    const child = spawn(`ceph-${daemon}`, args, {
      stdio: ["ignore", out, out],
      env: { ...process.env, CEPH_ARGS: "" },
    });
    closeSync(out);
    // It does not keep the tests from ending.
    child.unref();
    this.#processes.set(daemon, child);
  }

  /** The daemon does not run meanwhile, as if its host hung. */
  pause(daemon: "mon" | "osd"): { resume: () => void } {
    const child = this.#processes.get(daemon);
    child?.kill("SIGSTOP");
    return { resume: () => void child?.kill("SIGCONT") };
  }

  /** Of the monitor and of client.admin. */
  #makeKeys(): string {
    const [mon, admin] = [path.join(this.#folder, "mon.keyring"), path.join(this.#folder, "admin.keyring")];
    const all = ["--cap", "mon", "allow *"];
    this.run("ceph-authtool", "--create-keyring", mon, "--gen-key", "-n", "mon.", ...all);
    const osd = ["--cap", "osd", "allow *"];
    this.run("ceph-authtool", "--create-keyring", admin, "--gen-key", "-n", "client.admin", ...all, ...osd);
    this.run("ceph-authtool", mon, "--import-keyring", admin);
    return mon;
  }

  /** An rbd-fuse that waits for a cluster that has ended would hang every program that examines mounts or loop devices. */
  #remove(): void {
    for (const pid of processesWith("rbd-fuse", this.conf)) process.kill(pid, "SIGKILL");
    for (const child of this.#processes.values()) child.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** Processes of this program with this argument. */
function processesWith(program: string, argument: string): number[] {
  const { stdout } = spawnSync("pgrep", ["--full", `${program} .*${argument}`], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

let shared: Cluster | undefined;

/** The cluster of this test file; null where this machine cannot run one: the test is skipped then, with the reason. */
export function clusterFor(t: TestContext): Cluster | null {
  return obstacleTo(t) === null ? (shared ??= new Cluster()) : null;
}

/** One in which each client has to prove who it is. */
export function guardedCluster(t: TestContext): Cluster | null {
  return obstacleTo(t) === null ? new Cluster("cephx") : null;
}

function obstacleTo(t: TestContext): string | null {
  const obstacle = obstacleOf();
  if (obstacle === undefined) return null;
  if (process.env["CI"] === "true") throw new Error(`${obstacle}; run npm run test:setup`);
  t.skip(obstacle);
  return obstacle;
}

function obstacleOf(): string | undefined {
  if (process.getuid?.() !== 0) return "mounting needs root";
  const missing = ["ceph-mon", "ceph-osd", "rbd", "rbd-fuse"].find((name) => spawnSync("which", [name]).status !== 0);
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/** Fast rounds of the monitor, a small OSD, and no wait for what a single node does not have. */
const configOf = (folder: string, fsid: string, address: string, auth: string): string => `[global]
fsid = ${fsid}
mon host = ${address}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = ${auth}
auth service required = ${auth}
auth client required = ${auth}
ms bind msgr1 = false
run dir = ${folder}/run
admin socket = ${folder}/run/$name.$pid.asok
log file = ${folder}/$name.log
log to stderr = false
mon cluster log file = ${folder}/cluster.log
pid file =
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
paxos propose interval = 0.02
paxos min wait = 0.01
osd crush chooseleaf type = 0
mon data avail crit = 1
mon data avail warn = 1
[mon]
mon data = ${folder}/mon
[osd]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = 2G
osd op num shards = 2
[client]
rbd default features = 61
keyring = ${folder}/admin.keyring
`;

/** One that no process listens on now. */
function freePort(): number {
  const taken = new Set(
    readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .map((line) => Number.parseInt(/^\s*\d+: [0-9A-F]{8}:([0-9A-F]{4})/.exec(line)?.[1] ?? "0", 16)),
  );
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (!taken.has(port)) return port;
  }
}

export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Runs a program that has to succeed. */
export const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: "utf8", stdio: "pipe", timeout: LIMIT_MS });
