/** provider-csi through the command line: a driver that is a process of its own, with mounted ext4 volumes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { CsiDriver, type Published } from "../support/csi/csi-driver.js";
import type { Script } from "../support/csi/script.js";
import { type CliRun, holdstill, type RunOptions } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { Counter, CounterBroken, verifyCounter } from "../support/storage/counter.js";
import { tempDir } from "../support/storage/temp.js";

const skip = process.getuid?.() === 0 ? false : "mounting needs root";

/** Two volumes of a driver, and a config for them. */
class Host {
  readonly driver: CsiDriver;
  readonly published: readonly Published[];
  readonly dir: string;

  private constructor(t: TestContext, driver: CsiDriver, published: readonly Published[]) {
    this.driver = driver;
    this.published = published;
    this.dir = tempDir(t);
    this.configure({ volumes: published.map(({ path: mount, volumeId }) => ({ mount, volumeId })) });
    onEnd(t, async () => void (await this.run("delete", "--all", "--yes")));
  }

  static async start(t: TestContext, script: Script = {}): Promise<Host> {
    const driver = await CsiDriver.start(t, script);
    return new Host(t, driver, [await driver.volume("one"), await driver.volume("two")]);
  }

  configure(options: Record<string, unknown>): void {
    const { dir, driver } = this;
    const config = {
      stateDir: path.join(dir, "state"),
      exposeDir: path.join(dir, "exposed"),
      limits: { hold: "30s", abort: "60s" },
      plugins: [{ use: "provider-csi", as: "csi", options: { socket: driver.socket, ...options } }],
    };
    writeFileSync(path.join(dir, "holdstill.json"), JSON.stringify(config));
  }

  get targets(): string[] {
    return this.published.map((one) => one.path);
  }

  run(...args: string[]): Promise<CliRun> {
    return this.runWith({}, ...args);
  }

  runWith(options: RunOptions, ...args: string[]): Promise<CliRun> {
    return holdstill([...args, "--config", path.join(this.dir, "holdstill.json")], options);
  }

  async create(...args: string[]): Promise<SnapshotSet> {
    const made = await this.run("create", ...args, "--require", "filesystem", "--json");
    assert.equal(made.exitCode, 0, made.stderr);
    return (made.json() as { set: SnapshotSet }).set;
  }

  /** Where the snapshots of the newest set are exposed, in the order of the targets. */
  async expose(): Promise<string[]> {
    const exposed = await this.run("expose", "latest", "--json");
    assert.equal(exposed.exitCode, 0, exposed.stderr);
    const trees = ((exposed.json() as SnapshotSet).exposed ?? []).flatMap((one) => one.exposed.trees);
    return this.targets.map((target) => trees.find(({ original }) => original === target)?.path ?? "");
  }

  async leavesNothing(): Promise<void> {
    const recovered = await this.run("recover", "--dry-run");
    assert.deepEqual([recovered.exitCode, recovered.stdout.trim()], [0, "Nothing is left over."], recovered.stderr);
    assert.deepEqual(this.driver.stored(), []);
    assert.doesNotMatch(readFileSync("/proc/self/mountinfo", "utf8"), new RegExp(`${this.dir}/`));
    assert.deepEqual(readdirSync(path.join(this.dir, "state/plugins/csi/registry")), []);
  }
}

test(
  "a driver whose group snapshots are torn gives snapshots of one instant, because the kernel holds the volumes",
  { skip },
  async (t) => {
    const host = await Host.start(t, { restMs: 300 });
    const counter = await Counter.start(host.targets);
    onEnd(t, () => counter.stop());

    const { driver, published } = host;
    const sourceVolumeIds = published.map(({ volumeId }) => volumeId);
    const request = { name: "without holdstill", sourceVolumeIds, parameters: {}, secrets: {} };
    const { groupSnapshot } = await driver.call("CreateVolumeGroupSnapshot", request);
    const torn: string[] = [];
    for (const { snapshotId, sourceVolumeId } of groupSnapshot?.snapshots ?? [])
      torn.push((await driver.volume(`of-${sourceVolumeId}`, { from: snapshotId })).path);
    assert.throws(() => verifyCounter(torn), CounterBroken);
    await driver.call("DeleteVolumeGroupSnapshot", {
      groupSnapshotId: groupSnapshot?.groupSnapshotId ?? "",
      snapshotIds: groupSnapshot?.snapshots.map(({ snapshotId }) => snapshotId) ?? [],
      secrets: {},
    });

    const set = await host.create(...host.targets);
    assert.deepEqual([set.cut, set.consistency, set.snapshots.length], ["atomic", "filesystem", 2]);
    await counter.advance(3);
    const shown = await host.expose();
    assert.ok(verifyCounter(shown) > 0);
    assert.throws(() => writeFileSync(path.join(shown[0] ?? "", "new"), ""), { code: "EROFS" });
    assert.equal((await host.run("unexpose", "latest")).exitCode, 0);
    assert.equal(driver.stored().length, 2, "the volumes that were shown are deleted");
    const gone = await host.run("delete", "latest", "--yes");
    assert.equal(gone.exitCode, 0, gone.stderr);
    await host.leavesNothing();
  },
);

test(
  "after kill -9 while the driver takes a group snapshot, recover finds the snapshot and deletes it",
  { skip },
  async (t) => {
    const host = await Host.start(t, { faults: { CreateVolumeGroupSnapshot: { delayMs: 1500, times: 1 } } });
    const { driver } = host;
    const asked = (): boolean => driver.calls().some(({ method }) => method === "CreateVolumeGroupSnapshot");
    const killed = await host.runWith(
      {
        onStart: (child) => {
          const timer = setInterval(() => asked() && child.kill("SIGKILL"), 20);
          child.once("exit", () => clearInterval(timer));
        },
      },
      "create",
      ...host.targets,
    );
    assert.equal(killed.exitCode, null);
    const recovered = await host.run("recover", "--yes");
    assert.equal(recovered.exitCode, 0, recovered.stdout + recovered.stderr);
    await host.leavesNothing();
  },
);

test(
  "an exposure whose volume is not known is undone: unexpose finds the volume by the same request again",
  { skip },
  async (t) => {
    const host = await Host.start(t);
    await host.create(...host.targets);
    host.driver.behave({ faults: { CreateVolume: { losesAnswer: true, times: 1 } } });
    const failed = await host.run("expose", "latest");
    assert.notEqual(failed.exitCode, 0);
    assert.match(failed.stderr, /cannot be reached for CreateVolume/);
    assert.equal(host.driver.stored().length, 2, host.driver.stored().join());
    assert.equal((await host.run("delete", "latest", "--yes")).exitCode, 0);
    await host.leavesNothing();
  },
);

test(
  "a volume that the kubelet has mounted is found by its vol_data.json, and only for the driver that it names",
  { skip },
  async (t) => {
    const host = await Host.start(t);
    const [one, two] = host.published;
    assert.ok(one !== undefined && two !== undefined);
    describe(one, "csi.test.holdstill");
    describe(two, "csi.acme.com");
    host.configure({ driver: "csi.test.holdstill", kubelet: host.driver.folder });
    const planned = await host.run("plan", one.path);
    assert.match(planned.stdout, /CSI snapshot/);
    const other = await host.run("plan", two.path);
    assert.doesNotMatch(other.stdout, /CSI snapshot/);
    await host.create(one.path);
    assert.equal((await host.run("delete", "latest", "--yes")).exitCode, 0);
    await host.leavesNothing();
  },
);

test(
  "a file system on a block device of the driver is captured, and its snapshot is published as a block device",
  { skip },
  async (t) => {
    const host = await Host.start(t);
    const [one] = host.published;
    assert.ok(one !== undefined);
    const device = execFileSync("findmnt", ["--noheadings", "--output", "SOURCE", one.path], {
      encoding: "utf8",
    }).trim();
    host.configure({ volumes: [{ device, volumeId: one.volumeId }] });
    writeFileSync(path.join(one.path, "file"), "captured");
    await host.create(one.path);
    writeFileSync(path.join(one.path, "file"), "changed");
    const [shown = ""] = await host.expose();
    assert.equal(readFileSync(path.join(shown, "file"), "utf8"), "captured");
    assert.ok(
      host.driver
        .calls()
        .some(({ method, request }) => method === "NodePublishVolume" && JSON.stringify(request).includes("block")),
    );
    assert.equal((await host.run("delete", "latest", "--yes")).exitCode, 0);
    await host.leavesNothing();
  },
);

test(
  "without the driver, plan refuses the volume with the way out, and delete keeps the record",
  { skip },
  async (t) => {
    const host = await Host.start(t);
    await host.create(...host.targets);
    await host.driver.stop();
    const planned = await host.run("plan", ...host.targets);
    assert.equal(planned.exitCode, 3);
    assert.match(planned.stderr, /cannot be reached/);
    assert.match(planned.stderr, /Start the driver/);
    const kept = await host.run("delete", "latest", "--yes");
    assert.notEqual(kept.exitCode, 0);
    assert.match(kept.stderr, /cannot be reached/);
    await host.driver.start();
    assert.equal((await host.run("delete", "latest", "--yes")).exitCode, 0);
    await host.leavesNothing();
  },
);

/** As the kubelet does, beside the mount. */
function describe(of: Published, driverName: string): void {
  const data = { driverName, volumeHandle: of.volumeId };
  writeFileSync(path.join(path.dirname(of.path), "vol_data.json"), JSON.stringify(data));
}
