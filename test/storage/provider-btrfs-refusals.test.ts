/** What stands in the way of provider-btrfs outside of the file system: swap files, /etc/fstab, and other mount namespaces. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import provider from "@holdstill/provider-btrfs";
import { probeContext } from "../support/fixture/context.js";
import { holdstill, program } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import {
  btrfs,
  capturing,
  type Options,
  stateOf,
  subvolume,
  takeOne,
  topOf,
  transaction,
  volumesOf,
} from "../support/storage/btrfs.js";
import { tempDir } from "../support/storage/temp.js";

/** A swap file in a folder, in use until the test ends; false: this machine has none on btrfs, and the test is skipped. */
function swapIn(t: TestContext, folder: string): boolean {
  const file = path.join(folder, "swap file");
  writeFileSync(file, "");
  execFileSync("chattr", ["+C", file]);
  execFileSync("fallocate", ["-l", "1M", file]);
  execFileSync("chmod", ["600", file]);
  execFileSync("mkswap", ["-q", file]);
  const on = spawnSync("swapon", [file], { encoding: "utf8" });
  if (on.status !== 0) t.skip(`this machine cannot swap to a file on btrfs: ${on.stderr.trim()}`);
  else onEnd(t, () => void execFileSync("swapoff", [file]));
  return on.status === 0;
}

test("a subvolume with an active swap file, and one in which such a subvolume is nested, is refused by plan and prepare", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const data = subvolume(`${top}/data`);
  const swap = subvolume(`${data}/swap`);
  const other = subvolume(`${top}/other`);
  if (!swapIn(t, swap)) return;
  const { ctx } = probeContext<Options>(capturing, tempDir(t));
  const refusal = { code: "UNSUPPORTED", message: /the active swap file .*\/swap\/swap file/ };
  for (const target of [swap, data]) {
    const volumes = volumesOf(target);
    const [volume = assert.fail()] = volumes;
    await assert.rejects(async () => await provider.match(volume, ctx), refusal);
    const before = stateOf(top);
    const tx = transaction();
    await assert.rejects(async () => await provider.prepare(tx, volumes, ctx), refusal);
    await provider.abort(tx, ctx);
    assert.equal(stateOf(top), before);
  }
  await provider.remove(await takeOne(other, ctx), ctx);
  const { ctx: alone } = probeContext<Options>({ nested: "leave-out" }, tempDir(t));
  await provider.remove(await takeOne(data, alone), alone);
});

test("a revert of what /etc/fstab mounts by its number is refused, and the user is shown what to change there", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const data = subvolume(`${top}/data`);
  writeFileSync(`${data}/file`, "as it was");
  const dir = tempDir(t);
  const config = path.join(dir, "config.json");
  const plugins = [{ use: "provider-btrfs" }];
  writeFileSync(config, JSON.stringify({ stateDir: `${dir}/state`, exposeDir: `${dir}/exposed`, plugins }));
  const on = (...args: string[]) => holdstill([...args, "--config", config]);
  assert.equal((await on("create", data)).exitCode, 0);
  const fstab = path.join(dir, "fstab");
  const id = /^ID (\d+) .* path data$/m.exec(btrfs("subvolume", "list", top))?.[1];
  const reverted = (line: string) => {
    writeFileSync(fstab, line);
    // Only this command sees that file.
    const inOwnNamespace = 'mount --bind "$0" /etc/fstab && exec "$@"';
    const command = [process.execPath, program, "revert", "latest", "--yes", "--config", config];
    return spawnSync("unshare", ["--mount", "sh", "-c", inOwnNamespace, fstab, ...command], { encoding: "utf8" });
  };
  const refused = reverted(`/dev/sda1 /data btrfs subvolid=${id} 0 0\n`);
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, new RegExp(`/etc/fstab mounts it by its number, ${id}\\.`));
  assert.match(refused.stderr, /→ Name it there by its path: subvol=PATH\./);
  const done = reverted("/dev/sda1 /data btrfs subvol=data 0 0\n");
  assert.equal(done.status, 0, done.stderr);
  const { sets } = (await on("list", "--json")).json() as { sets: { id: string }[] };
  for (const set of sets) assert.equal((await on("delete", set.id, "--yes")).exitCode, 0);
});

test("what another mount namespace still shows is neither reverted nor removed, and the error names its process", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const data = subvolume(`${top}/data`);
  const { ctx } = probeContext<Options>(capturing, tempDir(t));
  const snapshot = await takeOne(data, ctx);
  const at = path.join(tempDir(t), "at");
  mkdirSync(at);
  await provider.expose(snapshot, { access: "read-only", at }, ctx);
  await t.test("the snapshot", async (inner) => {
    const pid = await elsewhere(inner);
    const pinned = { code: "BUSY", message: new RegExp(`mount namespace of sleep \\(process ${pid}\\)`) };
    await assert.rejects(async () => await provider.unexpose(snapshot, ctx), pinned);
    await assert.rejects(async () => await provider.remove(snapshot, ctx), pinned);
  });
  const device = /path (\S+)/.exec(btrfs("filesystem", "show", top))?.[1] ?? assert.fail();
  await t.test("the original", async (inner) => {
    const original = path.join(tempDir(t), "mounted");
    mkdirSync(original);
    execFileSync("mount", ["-o", "subvol=data", device, original]);
    const pid = await elsewhere(inner).finally(() => execFileSync("umount", [original]));
    await assert.rejects(async () => await provider.revert?.(snapshot, ctx), {
      code: "BUSY",
      message: new RegExp(`mount namespace of sleep \\(process ${pid}\\)`),
    });
  });
  await provider.unexpose(snapshot, ctx);
  await provider.revert?.(snapshot, ctx);
  await provider.remove(snapshot, ctx);
});

/** Starts a process that keeps all that is mounted now, until the test ends; its id. */
async function elsewhere(t: TestContext): Promise<number> {
  const child = spawn("unshare", ["--mount", "sh", "-c", "echo; exec sleep 600"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onEnd(t, async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  await once(child.stdout, "data");
  while (readFileSync(`/proc/${child.pid}/comm`, "utf8") !== "sleep\n") await sleep(10);
  return child.pid ?? assert.fail();
}
