import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterConfig, SnapshotSet } from "#core/base/schema/types.js";
import { CsiDriver } from "../csi/csi-driver.js";
import type { Script } from "../csi/script.js";
import { type CliRun, holdstill, program, type RunOptions } from "../process/command-line.js";
import { onEnd } from "../process/on-end.js";
import { tempDir } from "../storage/temp.js";

export interface HostOptions {
  readonly cluster: ClusterConfig;
  readonly limits?: object;
  readonly script?: Script;
  /** Size of the volume. */
  readonly bytes?: number;
  /** Beside the provider. */
  readonly plugins?: readonly object[];
}

/** A host of a cluster on this machine: its own state, config, storage, and service. */
export class ClusterHost {
  readonly name: string;
  readonly dir: string;
  readonly driver: CsiDriver;
  /** Where its volume is mounted. */
  readonly volume: string;
  readonly config: string;
  readonly #volumeId: string;
  #service: ChildProcess | null = null;
  log = "";

  private constructor(
    dir: string,
    name: string,
    driver: CsiDriver,
    { volume, volumeId }: { volume: string; volumeId: string },
  ) {
    this.name = name;
    this.dir = dir;
    this.driver = driver;
    this.volume = volume;
    this.#volumeId = volumeId;
    this.config = path.join(dir, "holdstill.json");
  }

  static async make(
    t: TestContext,
    name: string,
    { cluster, limits = {}, script = {}, plugins = [], bytes }: HostOptions,
  ): Promise<ClusterHost> {
    const dir = tempDir(t);
    const driver = await CsiDriver.start(t, script);
    const { path: volume, volumeId } = await driver.volume(name, bytes === undefined ? {} : { bytes });
    const host = new ClusterHost(dir, name, driver, { volume, volumeId });
    // A server that runs as another user works below.
    for (const folder of [dir, driver.folder]) chmodSync(folder, 0o755);
    mkdirSync(path.join(dir, "state"));
    host.configure({ cluster: { allow: [volume], ...cluster }, limits, plugins });
    onEnd(t, async () => {
      for (const set of await host.sets()) await host.run(["unexpose", set]);
      await host.run(["delete", "--all", "--yes"]);
    });
    onEnd(t, () => host.end("SIGTERM"));
    return host;
  }

  configure({ cluster, limits = {}, plugins = [] }: HostOptions): void {
    const { driver, volume, name } = this;
    const options = { socket: driver.socket, volumes: [{ mount: volume, volumeId: this.#volumeId }] };
    const config = {
      stateDir: path.join(this.dir, "state"),
      exposeDir: path.join(this.dir, "exposed"),
      service: { socket: path.join(this.dir, "holdstill.sock") },
      limits: { abort: "60s", ...limits },
      plugins: [{ use: "provider-csi", as: "csi", options }, ...plugins],
      cluster: { name, ...cluster },
    };
    writeFileSync(this.config, JSON.stringify(config));
  }

  get pid(): number {
    return this.#service?.pid ?? 0;
  }

  /** `holdstill serve`, until it listens. */
  async serve(): Promise<void> {
    const child = spawn(process.execPath, [program, "serve", "--config", this.config, "--verbose"], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" },
    });
    this.#service = child;
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      this.log += chunk;
    });
    for (let tries = 0; !text.includes("holdstill: listening at"); tries += 1) {
      if (tries > 1200 || child.exitCode !== null)
        throw new Error(`the service of ${this.name} did not start: ${text}`);
      await sleep(50);
    }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#service;
    this.#service = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.#service?.kill(signal);
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<CliRun> {
    return holdstill([...args, "--config", this.config], options);
  }

  async sets(): Promise<string[]> {
    const { stdout } = await this.run(["list", "--quiet"]);
    return stdout.split("\n").filter((id) => id !== "");
  }

  async show(set: string): Promise<SnapshotSet | null> {
    const shown = await this.run(["show", set, "--json"]);
    return shown.exitCode === 0 ? (shown.json() as SnapshotSet) : null;
  }

  /** Where the set's contents of the volume, or of what is at this path, can be read. */
  async expose(set: string, original = this.volume): Promise<string> {
    const exposed = await this.run(["expose", set, "--json"]);
    if (exposed.exitCode !== 0) throw new Error(exposed.stderr);
    const trees = ((exposed.json() as SnapshotSet).exposed ?? []).flatMap((one) => one.exposed.trees);
    return trees.find((tree) => tree.original === original)?.path ?? "";
  }
}

/** Hosts whose services have all joined. */
export async function clusterOf(
  t: TestContext,
  names: readonly string[],
  options: HostOptions & { readonly scripts?: Readonly<Record<string, Script>> },
): Promise<ClusterHost[]> {
  const hosts: ClusterHost[] = [];
  for (const name of names) {
    const script = options.scripts?.[name] ?? options.script ?? {};
    hosts.push(await ClusterHost.make(t, name, { ...options, script }));
  }
  await Promise.all(hosts.map((host) => host.serve()));
  await joined(hosts);
  return hosts;
}

/** Resolves when all hosts see each other. */
export async function joined(hosts: readonly ClusterHost[]): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const seen = await hosts[0]?.run(["cluster", "hosts", "--json"]);
    const there = seen?.exitCode === 0 ? (seen.json() as { hosts: { host: string }[] }).hosts.length : 0;
    if (there === hosts.length) return;
    if (tries > 100)
      throw new Error(`the hosts did not join: ${seen?.stderr} ${hosts.map(({ log }) => log).join("\n")}`);
    await sleep(200);
  }
}
