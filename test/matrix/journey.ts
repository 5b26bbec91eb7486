/** One journey: a sequence of commands on a set of one application on one storage, each checked by what the application then reads. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { scratch } from "../support/storage/scratch.js";
import type { Application, RunningApplication } from "./applications.js";
import type { Step } from "./orders.js";
import type { Storage, StorageVolume } from "./storage.js";

export class Journey {
  readonly #storage: Storage;
  readonly #volume: StorageVolume;
  readonly #app: RunningApplication;
  readonly #dataDir: string;
  readonly #folder: string;
  readonly #config: string;
  readonly #before: unknown;
  /** Rows that the set has. */
  #captured = 0;
  #copies = 0;

  private constructor(
    t: TestContext,
    storage: Storage,
    volume: StorageVolume,
    app: RunningApplication,
    dataDir: string,
  ) {
    this.#storage = storage;
    this.#volume = volume;
    this.#app = app;
    this.#dataDir = dataDir;
    const folder = scratch("journey");
    onEnd(t, folder.remove);
    this.#folder = folder.path;
    this.#config = path.join(folder.path, "holdstill.json");
    const plugins = [...volume.plugins, ...(app.plugin === undefined ? [] : [app.plugin])];
    const settings = { stateDir: `${folder.path}/state`, exposeDir: `${folder.path}/exposed`, plugins };
    writeFileSync(this.#config, JSON.stringify(settings));
    this.#before = volume.state();
    onEnd(t, async () => {
      await this.#command("recover", "--yes");
      for (const { id } of await this.#sets()) await this.#command("delete", id, "--yes");
    });
  }

  /** undefined where this machine lacks the storage. */
  static async begin(t: TestContext, storage: Storage, application: Application): Promise<Journey | undefined> {
    const volume = storage.lay(t);
    if (volume === undefined) return undefined;
    const dataDir = path.join(volume.mount, "data");
    const app = await application.lay(t, dataDir);
    await app.write();
    return new Journey(t, storage, volume, app, dataDir);
  }

  async take(step: Step): Promise<void> {
    switch (step) {
      case "create":
        return await this.#create();
      case "expose":
        return await this.#expose();
      case "unexpose":
        return void (await this.#done("unexpose", "made"));
      case "run":
        return await this.#run([]);
      case "run as cut":
        return await this.#run(["--as-cut"]);
      case "verify":
        return this.#app.verifies === "verifies" ? void (await this.#done("verify", "made")) : undefined;
      case "restore in place":
        return await this.#restoreInPlace();
      case "restore elsewhere":
        return await this.#restoreElsewhere();
      case "revert":
        return this.#storage.reverts !== "cannot revert" && this.#app.restores === "in place"
          ? await this.#revert()
          : undefined;
      case "delete":
        return await this.#delete();
    }
  }

  /** A cut that the application cannot bear is refused, and nothing is left. */
  async isRefused(): Promise<void> {
    const refused = await this.#command("create", this.#app.target, "--name", "made");
    assert.equal(refused.exitCode, 3, refused.stdout + refused.stderr);
    assert.match(refused.stderr, /point-in-time/);
    await this.#leavesNothing();
  }

  async #create(): Promise<void> {
    this.#captured = await this.#app.count();
    const promised = this.#promised();
    const required = promised === "none" ? [] : ["--require", promised];
    await this.#done("create", this.#app.target, "--name", "made", ...required);
    assert.equal((await this.#show()).consistency, promised);
    await this.#app.write();
  }

  #promised(): "application" | "filesystem" | "none" {
    if (this.#app.plugin !== undefined) return "application";
    return this.#storage.cut === "atomic" ? "filesystem" : "none";
  }

  async #expose(): Promise<void> {
    await this.#done("expose", "made");
    const set = await this.#show();
    const trees = set.exposed?.flatMap(({ exposed }) => exposed.trees) ?? [];
    const shown = trees.filter(({ original }) => original === this.#dataDir).at(-1)?.path;
    await this.#holds(shown ?? assert.fail("the data directory is not exposed"), this.#captured);
  }

  async #run(options: readonly string[]): Promise<void> {
    const rows = await this.#app.count();
    const repository = path.join(this.#folder, "repository");
    const env = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: "a test", HOME: this.#folder };
    const restic = (args: readonly string[]): string =>
      execFileSync("restic", args, { env: { ...process.env, ...env }, encoding: "utf8" });
    if (!existsSync(repository)) restic(["init", "--quiet"]);
    const backup = ["sh", "-euc", 'exec restic backup --quiet "$HOLDSTILL_ROOT"'];
    const ran = await holdstill(["run", "--config", this.#config, ...options, this.#app.target, "--", ...backup], {
      env,
    });
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
    const target = this.#newFolder();
    restic(["restore", "--quiet", "latest", "--target", target]);
    await this.#opens(path.join(target, this.#folder, "exposed/root"), rows);
  }

  async #restoreInPlace(): Promise<void> {
    if (this.#app.restores === "elsewhere") {
      const refused = await this.#command("restore", "made", "--yes");
      assert.equal(refused.exitCode, 3, refused.stdout + refused.stderr);
      assert.match(refused.stderr, /--to/);
      return;
    }
    await this.#app.stop();
    rmSync(this.#dataDir, { recursive: true });
    await this.#done("restore", "made", "--yes");
    await this.#app.start();
    assert.equal(await this.#app.count(), this.#captured);
    await this.#app.write();
  }

  async #restoreElsewhere(): Promise<void> {
    const target = this.#newFolder();
    await this.#done("restore", "made", "--to", target, "--yes");
    await this.#opens(target, this.#captured);
  }

  async #revert(): Promise<void> {
    await this.#app.stop();
    this.#volume.unmount();
    const reverted = await this.#command("revert", "made", "--yes");
    this.#volume.remount();
    if (this.#storage.reverts === "reverts what has no fork" && (await this.#isForked())) {
      assert.equal(reverted.exitCode, 4, reverted.stdout + reverted.stderr);
      assert.match(reverted.stderr, /has one, so it cannot be put back[^]*--repair later/);
      await this.#app.start();
      return;
    }
    assert.equal(reverted.exitCode, 0, reverted.stdout + reverted.stderr);
    await this.#app.start();
    assert.equal(await this.#app.count(), this.#captured);
  }

  async #isForked(): Promise<boolean> {
    const { snapshots } = await this.#show();
    return snapshots.some(({ snapshot }) => snapshot.of !== undefined);
  }

  async #delete(): Promise<void> {
    for (const { id } of await this.#sets()) await this.#done("delete", id, "--yes");
    await this.#leavesNothing();
  }

  async #leavesNothing(): Promise<void> {
    const recovered = await this.#done("recover");
    assert.match(recovered.stdout, /Nothing is left over/);
    assert.deepEqual(this.#volume.state(), this.#before);
    const exposed = path.join(this.#folder, "exposed");
    // `run` keeps its folder, empty.
    const left = existsSync(exposed) ? readdirSync(exposed, { recursive: true }) : [];
    assert.deepEqual(
      left.filter((name) => name !== "root"),
      [],
    );
    await this.#app.write();
  }

  /** What lies below `root`, with the writer's sidecar in its folder, is opened. */
  async #opens(root: string, rows: number): Promise<void> {
    await this.#holds(path.join(root, this.#dataDir), rows, path.join(root, ".holdstill/sidecar/app"));
  }

  async #holds(tree: string, rows: number, sidecar = path.join(this.#folder, "no sidecar")): Promise<void> {
    const copies = scratch("copy");
    execFileSync("cp", ["-a", "-T", tree, path.join(copies.path, "data")]);
    execFileSync("chmod", ["755", copies.path]);
    try {
      assert.equal(await this.#app.countIn(path.join(copies.path, "data"), sidecar), rows);
    } finally {
      copies.remove();
    }
  }

  #newFolder(): string {
    this.#copies += 1;
    const folder = path.join(this.#folder, `elsewhere-${this.#copies}`);
    mkdirSync(folder);
    return folder;
  }

  async #show(): Promise<SnapshotSet> {
    return (await this.#done("show", "made", "--json")).json() as SnapshotSet;
  }

  async #sets(): Promise<readonly SnapshotSet[]> {
    return ((await this.#command("list", "--json")).json() as { sets: SnapshotSet[] }).sets;
  }

  #command(...args: string[]): Promise<CliRun> {
    return holdstill([...args, "--config", this.#config]);
  }

  /** Runs a command that has to end well. */
  async #done(...args: string[]): Promise<CliRun> {
    const ran = await this.#command(...args);
    assert.equal(ran.exitCode, 0, `holdstill ${args.join(" ")}\n${ran.stdout}${ran.stderr}`);
    return ran;
  }
}
