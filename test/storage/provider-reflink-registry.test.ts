/** The provider's registry on a full disk, and with files in it that are not entries. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import provider from "@holdstill/provider-reflink";
import { probeContext } from "../support/fixture/context.js";
import { mount } from "../support/storage/loop-device.js";
import { take, tx, viewIn, volumeOf, type Options } from "../support/storage/reflink.js";
import { tempDir } from "../support/storage/temp.js";
import { sh } from "../support/storage/tree.js";
import { listAll } from "../support/fixture/list-all.js";

const next = { ...tx, id: "20260101-000001-abcdef" };
const long = (tree: string): string[] => Array.from({ length: 200 }, (_, index) => `${tree}/left-out-${index}`);

test("an entry that a full disk cuts short is not taken for one, and all works again when there is room", async (t) => {
  if (process.getuid?.() !== 0) return t.skip("mounting needs root");
  const tree = tempDir(t);
  const dataDir = mount(t, ["-t", "tmpfs", "-o", "size=256k", "tmpfs"], path.join(tempDir(t), "data"));
  const probe = probeContext<Options>({ store: path.join(tempDir(t), "store") }, dataDir);
  await take(volumeOf([tree]), probe);
  // One page is left: the kernel writes that much of the entry, and reports it.
  sh("head -c 4096 /dev/zero > page; cat /dev/zero > ballast 2>/dev/null || rm page", dataDir);
  await assert.rejects(provider.prepare(next, [volumeOf([tree], long(tree))], probe.ctx), {
    code: "STORE",
    message: /registry cannot be written: ENOSPC/,
  });
  assert.deepEqual(readdirSync(`${dataDir}/registry`), [`${tx.id}.0.json`]);
  await provider.abort(next, probe.ctx);
  assert.equal((await listAll(provider, probe.ctx)).length, 1);
  sh("rm ballast", dataDir);
  await provider.prepare(next, [volumeOf([tree], long(tree))], probe.ctx);
  assert.equal((await listAll(provider, probe.ctx)).length, 2);
});

test("a file that is not an entry is named in a warning, affects only its snapshot, and that can still be removed", async (t) => {
  const tree = tempDir(t);
  const probe = probeContext<Options>({ store: path.join(tempDir(t), "store") }, tempDir(t));
  const copy = await take(volumeOf([tree]), probe);
  const [snapshot] = await listAll(provider, probe.ctx);
  assert.ok(snapshot);
  const file = `${probe.ctx.dataDir}/registry/${snapshot.id}.json`;
  truncateSync(file, 100);
  await provider.prepare(next, [volumeOf([tree])], probe.ctx);
  assert.deepEqual(
    (await listAll(provider, probe.ctx)).map(({ setId }) => setId),
    [next.id],
  );
  assert.ok(probe.warnings.some((warning) => warning.includes(file)));
  await assert.rejects(provider.expose(snapshot, viewIn(t, "read-only"), probe.ctx), {
    code: "STORE",
    message: /is not an entry/,
  });
  await assert.rejects(async () => provider.commit?.(tx, probe.ctx), { code: "STORE", message: /is not an entry/ });
  await provider.abort(next, probe.ctx);
  await provider.unexpose(snapshot, probe.ctx);
  assert.equal(statSync(String(snapshot.facts?.["path"])).mode & 0o777, 0o700);
  await provider.remove(snapshot, probe.ctx);
  assert.deepEqual([existsSync(copy), existsSync(file)], [false, false]);
});

test("abort finds the folder of an entry that cannot be read by its name, and forgets nothing that it does not find", async (t) => {
  const probe = probeContext<Options>({ store: path.join(tempDir(t), "store") }, tempDir(t));
  const copy = await take(volumeOf([tempDir(t)]), probe);
  const file = `${probe.ctx.dataDir}/registry/${tx.id}.0.json`;
  writeFileSync(file, "{}");
  const elsewhere = probeContext<Options>({}, probe.ctx.dataDir);
  await assert.rejects(provider.abort(tx, elsewhere.ctx), { code: "STORE", message: /is not an entry/ });
  assert.equal(existsSync(copy), true);
  await provider.abort(tx, probe.ctx);
  assert.deepEqual([existsSync(copy), existsSync(file)], [false, false]);
});
