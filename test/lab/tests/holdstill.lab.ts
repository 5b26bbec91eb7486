/** holdstill itself on a real kernel's LVM. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-reflink";
import { holdstill } from "../../support/process/command-line.js";
import { probeContext } from "../../support/fixture/context.js";
import { viewIn } from "../../support/storage/reflink.js";
import { fileSystemsOf } from "../../support/storage/file-systems.js";
import { tempDir } from "../../support/storage/temp.js";
import { VolumeGroup } from "../support/volume-group.js";

test("the command line starts", async () => {
  const { exitCode, stdout, stderr } = await holdstill(["--version"]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /\d+\.\d+\.\d+/);
});

test("the library loads, and koffi's native half", async () => {
  const { open } = await import("holdstill");
  assert.equal(typeof open, "function");
  const { preloadLibc } = await import("#core/os/libc.js");
  preloadLibc();
});

test("a path is traced to its logical volume, and the reflink provider takes a snapshot on XFS there", async (t) => {
  const vg = new VolumeGroup(t);
  const { mount } = vg.thick("data", "xfs", 320);
  mkdirSync(`${mount}/srv`);
  writeFileSync(`${mount}/srv/file`, "precious\n");
  const [volume] = fileSystemsOf([`${mount}/srv`]);
  assert.ok(volume);
  assert.match(JSON.stringify(volume), new RegExp(`/dev/mapper/${vg.dm("data")}`));
  const { ctx } = probeContext<{ store?: string }>({}, tempDir(t));
  const support = await provider.match(volume, ctx);
  assert.equal(support?.method, "reflink");
  const tx = { id: "20260101-000000-abcdef", cut: "fuzzy" } as const;
  await provider.prepare(tx, [volume], ctx);
  await provider.commit?.(tx, ctx);
  const [snapshot] = await provider.seal(tx, ctx);
  assert.ok(snapshot);
  writeFileSync(`${mount}/srv/file`, "changed\n");
  const { trees } = await provider.expose(snapshot, viewIn(t, "read-only"), ctx);
  assert.equal(readFileSync(`${trees[0]?.path}/file`, "utf8"), "precious\n");
  await provider.unexpose(snapshot, ctx);
});
