import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import type { FileSystemVolume } from "holdstill/plugin";
import { Connection } from "@holdstill/provider-csi/dist/connection.js";
import type { Calls, Method, Volume as DriverVolume, VolumeCapability } from "@holdstill/provider-csi/dist/messages.js";
import type { Options } from "@holdstill/provider-csi/dist/options.js";
import { context, type ContextOptions, type TestContext as PluginContext } from "../fixture/context.js";
import { atExit } from "../process/at-exit.js";
import { onEnd } from "../process/on-end.js";
import { tempDir } from "../storage/temp.js";
import { files, type LoggedCall, type Script } from "./script.js";
import { isMounted, Storage } from "./storage.js";

const BYTES = 64 * 1024 * 1024;

/** A volume of the driver, as the kubelet or an administrator has had it mounted. */
export interface Published {
  readonly volumeId: string;
  /** Where it is mounted, or its block device. */
  readonly path: string;
}

/** The CSI driver of the tests, in a process of its own. */
export class CsiDriver {
  readonly folder: string;
  readonly socket: string;
  readonly #t: TestContext;
  #process: ChildProcess | null = null;

  private constructor(t: TestContext) {
    this.#t = t;
    this.folder = tempDir(t);
    this.socket = path.join(this.folder, files.socket);
    onEnd(t, () => this.stop());
  }

  static async start(t: TestContext, script: Script = {}): Promise<CsiDriver> {
    const driver = new CsiDriver(t);
    driver.behave(script);
    await driver.start();
    return driver;
  }

  async start(): Promise<void> {
    const program = path.join(import.meta.dirname, "driver-process.js");
    const child = spawn(process.execPath, [program, this.folder], { stdio: ["ignore", "pipe", "inherit"] });
    const callOff = atExit(() => child.kill("SIGKILL"));
    child.once("exit", callOff);
    this.#process = child;
    await once(child.stdout, "data");
  }

  /** It is gone, and so is its socket; what it stores stays. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    rmSync(this.socket, { force: true });
  }

  /** From the next call on. */
  behave(script: Script): void {
    writeFileSync(path.join(this.folder, files.script), JSON.stringify(script));
  }

  /** All calls so far. */
  calls(): LoggedCall[] {
    const file = path.join(this.folder, files.calls);
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as LoggedCall);
  }

  /** As another program that uses the driver. */
  async call<M extends Method>(method: M, request: Calls[M][0]): Promise<Calls[M][1]> {
    using connection = new Connection(this.context());
    return await connection.call(method, request);
  }

  /** Names of the snapshots, and of the volumes that were made from them. */
  stored(): string[] {
    const { state } = new Storage(this.folder);
    const volumes = state.volumes.filter(({ name }) => name.startsWith("holdstill-"));
    return [...state.snapshots, ...volumes].map(({ name }) => name).toSorted();
  }

  options(changes: Partial<Options> = {}): Options {
    return {
      socket: this.socket,
      kubelet: "/nonexistent",
      volumes: [],
      groups: "auto",
      secrets: [],
      snapshotParameters: {},
      volumeParameters: {},
      ...changes,
    };
  }

  /** Makes volumes that are not mounted; for calls of the plugin without the host. */
  async blankVolumes(
    names: readonly string[],
  ): Promise<{ options: Pick<Options, "volumes">; volumes: FileSystemVolume[] }> {
    const mapped: Options["volumes"][number][] = [];
    for (const name of names)
      mapped.push({ mount: `/nowhere/${name}`, volumeId: (await create(this, name, BYTES)).volumeId });
    const volumes = names.map(blankVolume);
    return { options: { volumes: mapped }, volumes };
  }

  /** For a call to the plugin without the host. */
  context(changes: Partial<Options> = {}, given: ContextOptions = {}): PluginContext<Options> {
    return context(this.options(changes), given);
  }

  /**
   * Makes an ext4 volume and mounts it as the kubelet does, until the test ends.
   *
   * @param from The snapshot that it is made from; else it is empty.
   */
  async volume(name: string, { from, bytes = BYTES }: { from?: string; bytes?: number } = {}): Promise<Published> {
    const made = await create(this, name, bytes, from);
    const point = path.join(this.folder, name, "globalmount");
    mkdirSync(point, { recursive: true });
    onEnd(this.#t, async () => this.#unmount(point));
    const request = { ...made, volumeCapability, publishContext: { attached: "yes" }, secrets: {} };
    await this.call("NodeStageVolume", { ...request, stagingTargetPath: point });
    return { volumeId: made.volumeId, path: point };
  }

  async #unmount(point: string): Promise<void> {
    if (!isMounted(point)) return;
    const child = spawn("umount", [point], { stdio: "inherit" });
    await once(child, "exit");
  }
}

const volumeCapability: VolumeCapability = {
  accessMode: { mode: "SINGLE_NODE_WRITER" },
  mount: { fsType: "ext4", mountFlags: [] },
};

async function create(driver: CsiDriver, name: string, bytes: number, from?: string): Promise<DriverVolume> {
  const { volume } = await driver.call("CreateVolume", {
    name,
    capacityRange: { requiredBytes: bytes },
    volumeCapabilities: [volumeCapability],
    parameters: {},
    secrets: {},
    ...(from !== undefined && { volumeContentSource: { snapshot: { snapshotId: from } } }),
  });
  return { volumeId: volume?.volumeId ?? "", volumeContext: {} };
}

/** As the host locates it. An ext2 has no journal to look at. */
function blankVolume(name: string): FileSystemVolume {
  const mountPoint = `/nowhere/${name}`;
  const device = { name, number: "0:0", kind: "disk" as const, sizeBytes: BYTES, lower: [] };
  return {
    id: name,
    mountPoint,
    fsType: "ext2",
    source: name,
    root: "/",
    devices: [device],
    paths: [mountPoint],
    exclude: [],
  };
}
