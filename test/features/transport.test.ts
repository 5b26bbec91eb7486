/** Sets that travel: export on one host, import on another. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { furnishMetadata, metadataOf } from "#core/conformance/metadata.js";
import { furnish } from "#core/conformance/tree.js";
import { exported } from "../support/fixture/exported-set.js";
import { pluginsThat } from "../support/fixture/misbehaving-plugins.js";
import { Scene } from "../support/fixture/scene.js";
import { TransportHost } from "../support/fixture/transport-host.js";
import { holdstill, program } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { tempDir } from "../support/storage/temp.js";

const needsRoot = process.geteuid?.() === 0 ? false : "other owners need root";

test(
  "a set of host A is exported, imported on host B, shown, exposed, and restored to C with all metadata",
  { skip: needsRoot },
  async (t) => {
    const a = new TransportHost(t);
    const folder = tempDir(t);
    const data = path.join(folder, "data");
    mkdirSync(path.join(data, "closed"), { recursive: true });
    chmodSync(path.join(data, "closed"), 0o700);
    chownSync(path.join(data, "closed"), 1234, 4321);
    furnish(data);
    furnishMetadata(data);
    const expected = await metadataOf(data);
    assert.equal((await a.run(["create", data, "--name", "travels", "-q"])).exitCode, 0);
    const out = await a.run(["export", "travels", "--to", path.join(folder, "set.tar"), "--json"]);
    assert.equal(out.exitCode, 0, out.stderr);
    const { file, sha256 } = out.json() as { file: string; sha256: string };

    const b = new TransportHost(t);
    const imported = await b.run(["import", file, "--json"]);
    assert.equal(imported.exitCode, 0, imported.stderr);
    const set = imported.json() as SnapshotSet;
    assert.deepEqual([set.name, set.imported?.sha256, set.snapshots.length], ["travels", sha256, 1]);
    assert.match((await b.run(["show", "travels"])).stdout, /imported/);
    const [id = ""] = b.recorded();
    assert.equal((await b.run(["complete", id, "--succeeded"])).exitCode, 2);
    const again = await b.run(["import", file, "--json"]);
    assert.match(again.stdout, /"E_SET_EXISTS"/);

    const shown = (await b.run(["expose", id, "--json"])).json() as SnapshotSet;
    const [tree] = shown.exposed?.[0]?.exposed.trees ?? [];
    assert.equal(tree?.original, data);
    assert.deepEqual(await metadataOf(tree.path), expected);
    assert.equal((await b.run(["unexpose", id])).exitCode, 0);
    const restored = path.join(folder, "restored");
    assert.equal((await b.run(["restore", id, "--to", restored, "--yes"])).exitCode, 0);
    assert.deepEqual(await metadataOf(path.join(restored, data)), expected);
    assert.equal((await b.run(["recover"])).stdout.trim(), "Nothing is left over.");
    assert.equal((await b.run(["delete", id, "--yes"])).exitCode, 0);
    assert.deepEqual(b.left(), []);
    // Deleted, it can be imported again.
    assert.equal((await b.run(["import", file])).exitCode, 0);
  },
);

test("an export goes through a pipe, has a single file too, and tar reads it without holdstill", async (t) => {
  const { host, folder, data, file } = await exported(t);
  const b = new TransportHost(t);
  const script = '"$0" "$1" export travels --to - --config "$2" | "$0" "$1" import - --config "$3"';
  execFileSync("sh", ["-euc", script, process.execPath, program, host.config, b.config], { stdio: "pipe" });
  const restored = path.join(folder, "restored");
  assert.equal((await b.run(["restore", "travels", "--to", restored, "--yes"])).exitCode, 0);
  assert.equal(readFileSync(path.join(restored, folder, "single"), "utf8"), "one file\n");

  const unpacked = path.join(folder, "unpacked");
  mkdirSync(unpacked);
  execFileSync("tar", ["-C", unpacked, "-xf", file]);
  execFileSync("sh", ["-euc", "cat contents/0/* | tar -x", unpacked], { cwd: unpacked });
  assert.deepEqual(
    readdirSync(path.join(unpacked, "holdstill-check")).toSorted(),
    readdirSync(path.join(data, "holdstill-check")).toSorted(),
  );
});

test(
  "an export to where another user could put something else, or into a full file system, is refused, and leaves no file",
  { skip: needsRoot },
  async (t) => {
    const { host, folder } = await exported(t);
    const theirs = path.join(folder, "theirs");
    mkdirSync(theirs);
    chownSync(theirs, 1234, 1234);
    const refused = await host.run(["export", "travels", "--to", path.join(theirs, "set.tar"), "--json"]);
    assert.match(refused.stdout, /"E_PATH_UNSAFE"/);

    const small = path.join(folder, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "holdstill-test", small]);
    onEnd(t, () => execFileSync("umount", [small]));
    const full = await host.run(["export", "travels", "--to", path.join(small, "set.tar"), "--json"]);
    assert.equal(full.exitCode, 4, full.stderr);
    assert.match(full.stdout, /"E_EXPORT_FAILED"[^]*ENOSPC/);
    assert.deepEqual(readdirSync(small), []);
    assert.equal((await host.run(["recover"])).stdout.trim(), "Nothing is left over.");
  },
);

test("a set that is exposed, or that has a raw block device, is not exported", async (t) => {
  const { host, folder, id } = await exported(t);
  assert.equal((await host.run(["expose", id])).exitCode, 0);
  assert.match(
    (await host.run(["export", id, "--to", path.join(folder, "exposed"), "--json"])).stdout,
    /"E_SET_EXPOSED"/,
  );
  assert.equal((await host.run(["unexpose", id])).exitCode, 0);
  const file = path.join(host.dir, "state/sets", id, "set.json");
  const before = readFileSync(file, "utf8");
  const { volumes, ...set } = JSON.parse(before) as SnapshotSet;
  const raw = volumes.map(({ id: volume }) => {
    const device = { name: "dm-3", number: "253:3", kind: "lvm", sizeBytes: 1, lower: [] };
    return { kind: "block", id: volume, devices: [device], paths: ["/dev/vg0/vm1"] };
  });
  writeFileSync(file, JSON.stringify({ ...set, volumes: raw }));
  const refused = await host.run(["export", id, "--to", path.join(folder, "raw"), "--json"]);
  assert.match(refused.stdout, /"E_NOT_EXPORTABLE"/);
  writeFileSync(file, before);
});

test("a repair that the first host put off, or in which it failed, is made on the second", async (t) => {
  const { app } = new Scene(t);
  const writer = (options: object): object => ({ use: "writer-that", as: "app", options: { app, ...options } });
  for (const [when, options] of [
    ["later", { repair: "fork" }],
    ["never", { repair: "fork" }],
    ["inline", { repair: "fork", in: "repair", does: "throws" }],
  ] as const) {
    const a = new TransportHost(t, [writer(options)], [pluginsThat]);
    await a.run(["create", "writer:app", "--name", "travels", "--repair", when]);
    const out = await a.run(["export", "travels", "--to", a.dir, "-q"]);
    assert.equal(out.exitCode, 0, out.stderr);

    const b = new TransportHost(t, [writer({ repair: "fork" })], [pluginsThat]);
    const imported = await b.run(["import", out.stdout.trim(), "--json"]);
    assert.equal(imported.exitCode, 0, imported.stderr);
    const { writers, snapshots } = imported.json() as SnapshotSet;
    assert.deepEqual([writers[0]?.repair?.state, snapshots.length], ["repaired", 2], when);
    assert.equal(imported.stderr.includes("warning"), false, imported.stderr);
  }
});

test("an imported set whose writer is not in the config can be restored elsewhere, and the writer that is missing is named", async (t) => {
  const stage = new Scene(t);
  const a = new TransportHost(t, [{ use: "writer-that", as: "app", options: { app: stage.app } }], [pluginsThat]);
  await a.run(["create", "writer:app", "--name", "travels"]);
  const out = await a.run(["export", "travels", "--to", a.dir, "-q"]);
  const b = new TransportHost(t);
  assert.equal((await b.run(["import", out.stdout.trim()])).exitCode, 0);
  const verified = await b.run(["verify", "travels"]);
  assert.match(verified.stderr, /The config has no plugin instance `app`/);
  assert.equal((await b.run(["restore", "travels", "--to", path.join(b.dir, "r"), "--yes"])).exitCode, 0);
});

test("a folder is no export, and what is wrong with standard input is reported as such", async (t) => {
  const b = new TransportHost(t);
  const folder = await b.run(["import", b.dir]);
  assert.equal(folder.exitCode, 2, folder.stderr);
  assert.match(folder.stderr, /cannot be read: it is a folder/);
  const piped = await b.run(["import", "-"]);
  assert.match(piped.stderr, /The export on standard input is damaged, or not whole: /);
});

test("without a provider that takes contents, an import is E_NO_RECEIVER", async (t) => {
  const { file, folder } = await exported(t);
  const config = path.join(folder, "none.json");
  const store = path.join(folder, "that");
  mkdirSync(store);
  writeFileSync(
    config,
    JSON.stringify({
      pluginPaths: [pluginsThat],
      stateDir: path.join(folder, "state"),
      exposeDir: path.join(folder, "exposed"),
      plugins: [{ use: "provider-that", as: "store", options: { store } }],
    }),
  );
  const run = await holdstill(["import", file, "--config", config, "--json"]);
  assert.match(run.stdout, /"E_NO_RECEIVER"/);
  const { stdout } = await new TransportHost(t).run(["providers", "--volumes"]);
  assert.match(stdout, /\bimport\b/, "the hint of the error names it");
});
