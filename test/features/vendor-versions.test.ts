/** The life of a vendor's plugin: a version after the other is installed, and one day the first one again. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import type { TransactionResult } from "#core/engine/types.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { tempDir } from "../support/storage/temp.js";
import { installVersion, type VendorVersion } from "../support/fixture/vendor-plugin.js";

/** What it remembers of a set is in the snapshot's facts, as the version of the plugin has them. */
const remembering = (facts: string, more = ""): string => `{
  ...right,
  async seal(tx, ctx) {
    const sealed = await right.seal(tx, ctx);
    return sealed.map((one) => ({ ...one, facts: { ...one.facts, ${facts} }, ${more} }));
  },
}`;
const label = { type: "string", default: "nightly" };

const first: VendorVersion = { version: "1.0.0" };
const withLabel: VendorVersion = {
  version: "1.1.0",
  options: { label },
  plugin: remembering("label: ctx.options.label"),
};
/** Made for a later holdstill: another contract as well, and properties that this one does not know. */
const fromTheFuture: VendorVersion = {
  version: "2.0.0",
  manifest: { protocol: [1, 2], replicates: { to: "elsewhere" } },
  options: { label, tier: { type: "string" } },
  required: ["tier"],
  plugin: remembering("tier: ctx.options.tier, contract: ctx.protocol", "replica: true"),
};
const forLaterHosts: VendorVersion = { version: "3.0.0", manifest: { protocol: [2] } };

/** A host with a folder of plugins, a folder to capture, and a config. */
class Machine {
  readonly plugins: string;
  readonly data: string;
  readonly #dir: string;
  readonly #config: string;

  constructor(t: TestContext) {
    this.#dir = tempDir(t);
    [this.plugins, this.data] = [path.join(this.#dir, "plugins"), path.join(this.#dir, "data")];
    this.#config = path.join(this.#dir, "holdstill.json");
    for (const dir of [this.plugins, this.data, path.join(this.#dir, "store")]) mkdirSync(dir);
    this.configure("provider-acme");
  }

  configure(use: string, options: object = {}): void {
    const config = {
      pluginPaths: [this.plugins],
      stateDir: path.join(this.#dir, "state"),
      exposeDir: path.join(this.#dir, "exposed"),
      service: { socket: path.join(this.#dir, "hs.sock") },
      plugins: [{ use, as: "acme", options: { store: path.join(this.#dir, "store"), ...options } }],
    };
    writeFileSync(this.#config, JSON.stringify(config));
  }

  run(...args: string[]): Promise<CliRun> {
    return holdstill([...args, "--config", this.#config]);
  }

  async good(...args: string[]): Promise<CliRun> {
    const ran = await this.run(...args);
    assert.equal(ran.exitCode, 0, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`);
    return ran;
  }

  /** A set of a file with this text. */
  async create(text: string): Promise<SnapshotSet> {
    writeFileSync(path.join(this.data, "file"), text);
    const { set } = (await this.good("create", this.data, "--name", text, "--json")).json() as TransactionResult;
    assert.ok(set);
    return set;
  }

  /** What `plugins list` shows of each version that was found. */
  async verdicts(): Promise<string[]> {
    const { found } = (await this.run("plugins", "list", "--json")).json() as {
      found: { name: string; version: string; verdict: string }[];
    };
    return found.filter(({ name }) => name === "provider-acme").map((one) => `${one.version} ${one.verdict}`);
  }

  /** The sets, as the version that is in use now sees them. */
  async assertReadable(...texts: string[]): Promise<void> {
    const listed = (await this.good("list", "--usage", "--json")).json() as { sets: SnapshotSet[] };
    for (const text of texts) {
      const [one] = listed.sets.find(({ name }) => name === text)?.snapshots ?? [];
      assert.deepEqual([one?.snapshot.lost, one?.snapshot.unseen], [undefined, undefined], text);
      const { exposed = [] } = (await this.good("expose", text, "--json")).json() as SnapshotSet;
      const file = path.join(exposed[0]?.exposed.trees[0]?.path ?? "", "file");
      assert.equal(readFileSync(file, "utf8"), text);
      await this.good("unexpose", text);
    }
  }
}

const factsOf = ({ snapshots: [one] }: SnapshotSet): unknown[] => {
  const { folder: _, ...facts } = one?.snapshot.facts ?? {};
  return [one?.by.version, facts];
};

describe("a vendor's plugin", { concurrency: 2 }, () => {
  it("moves on only when it is asked to, if it is pinned, and back again", async (t) => {
    const host = new Machine(t);
    installVersion(host.plugins, first);
    await host.good("plugins", "lock");
    assert.deepEqual(await host.verdicts(), ["1.0.0 taken"]);
    assert.deepEqual(factsOf(await host.create("one")), ["1.0.0", {}]);

    installVersion(host.plugins, withLabel);
    assert.deepEqual(await host.verdicts(), ["1.0.0 taken", "1.1.0 unpinned"]);
    const why = (await host.good("plugins", "why", "acme")).stdout;
    assert.match(why, /uses 1\.0\.0$/m);
    assert.match(
      why,
      /unpinned {2}provider-acme 1\.1\.0: the lock file has 1\.0\.0; `holdstill plugins upgrade` uses it/,
    );
    assert.deepEqual(factsOf(await host.create("still-one")), ["1.0.0", {}]);
    const dry = await host.good("plugins", "upgrade", "--dry-run");
    assert.match(dry.stdout, /provider-acme {2}1\.0\.0 → 1\.1\.0 {2}new options: label$/m);
    assert.deepEqual(await host.verdicts(), ["1.0.0 taken", "1.1.0 unpinned"]);
    await host.good("plugins", "upgrade");
    assert.deepEqual(factsOf(await host.create("two")), ["1.1.0", { label: "nightly" }]);
    await host.assertReadable("one", "two");

    for (const version of [fromTheFuture, forLaterHosts]) installVersion(host.plugins, version);
    assert.deepEqual(await host.verdicts(), ["1.0.0 older", "1.1.0 taken", "2.0.0 unpinned", "3.0.0 refused"]);
    const listed = (await host.good("plugins", "list")).stdout;
    assert.equal(listed.split("3.0.0: too new: it supports contract 2").length, 2, "each version is listed once");
    const refused = await host.run("plugins", "upgrade");
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /\/plugins\/0\/options: .*expected a property "tier"/);
    await host.create("still-two");

    host.configure("provider-acme", { tier: "cold" });
    const early = await host.run("plan", host.data);
    assert.equal(early.exitCode, 2);
    assert.match(early.stderr, /no property "tier" here, because provider-acme 1\.1\.0 is pinned, and not 2\.0\.0$/m);
    const upgraded = await host.good("plugins", "upgrade");
    assert.match(upgraded.stdout, /provider-acme {2}1\.1\.0 → 2\.0\.0 {2}new options: tier$/m);
    await host.good("plan", host.data);
    assert.deepEqual(factsOf(await host.create("three")), ["2.0.0", { tier: "cold", contract: 1 }]);
    await host.assertReadable("one", "two", "three");

    host.configure("provider-acme@1.0.0");
    const all = ["1.1.0 refused", "2.0.0 refused", "3.0.0 refused"];
    assert.deepEqual(await host.verdicts(), ["1.0.0 unpinned", ...all]);
    assert.match((await host.run("plugins", "why", "acme")).stdout, /uses none$/m);
    for (const [command, exitCode] of [
      [["plan", host.data], 2],
      [["create", host.data], 2],
      [["doctor"], 3],
    ] as const) {
      const ran = await host.run(...command);
      assert.equal(ran.exitCode, exitCode, ran.stdout + ran.stderr);
      assert.match(ran.stdout + ran.stderr, /The lock file does not list provider-acme 1\.0\.0\./);
    }
    const back = await host.good("plugins", "upgrade");
    assert.match(back.stdout, /provider-acme {2}2\.0\.0 → 1\.0\.0 {2}without options: label, tier$/m);
    assert.deepEqual(await host.verdicts(), ["1.0.0 taken", ...all]);
    assert.deepEqual(factsOf(await host.create("one-again")), ["1.0.0", {}]);
    await host.assertReadable("one", "two", "three", "one-again");
    await host.good("delete", "two", "three", "--yes");
    await host.assertReadable("one", "one-again");
  });

  it("is always the newest that fits, if it is not pinned, and back again", async (t) => {
    const host = new Machine(t);
    installVersion(host.plugins, first);
    await host.create("one");
    installVersion(host.plugins, withLabel);
    assert.deepEqual(await host.verdicts(), ["1.0.0 older", "1.1.0 taken"]);
    assert.deepEqual(factsOf(await host.create("two")), ["1.1.0", { label: "nightly" }]);

    for (const version of [fromTheFuture, forLaterHosts]) installVersion(host.plugins, version);
    assert.deepEqual(await host.verdicts(), ["1.0.0 older", "1.1.0 older", "2.0.0 taken", "3.0.0 refused"]);
    for (const command of [
      ["plan", host.data],
      ["create", host.data],
    ]) {
      const surprised = await host.run(...command);
      assert.equal(surprised.exitCode, 2);
      assert.match(surprised.stderr, /\/plugins\/0\/options: .*expected a property "tier"$/m);
    }
    host.configure("provider-acme@^1");
    assert.deepEqual(factsOf(await host.create("three")), ["1.1.0", { label: "nightly" }]);
    host.configure("provider-acme", { tier: "cold" });
    assert.deepEqual(factsOf(await host.create("four")), ["2.0.0", { tier: "cold", contract: 1 }]);
    const examined = await host.good("doctor");
    assert.match(
      examined.stdout,
      /! plugins .*\/replicates:\s+this\s+version\s+of\s+holdstill\s+ignores\s+the\s+property/s,
    );
    await host.assertReadable("one", "two", "three", "four");

    host.configure("provider-acme@1.0.0");
    assert.deepEqual(await host.verdicts(), ["1.0.0 taken", "1.1.0 refused", "2.0.0 refused", "3.0.0 refused"]);
    await host.good("doctor");
    await host.create("five");
    await host.assertReadable("one", "two", "three", "four", "five");
  });
});
