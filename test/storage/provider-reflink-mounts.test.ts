/** What is mounted below a captured tree, or shows the store in it by another path, and attributes that a store does not take. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import provider from "@holdstill/provider-reflink";
import { probeContext, type Probe } from "../support/fixture/context.js";
import { needsRoot } from "../support/process/as-user.js";
import { onEnd } from "../support/process/on-end.js";
import { loopFs, makeFs } from "../support/storage/loop-device.js";
import { take, tx, viewIn, volumeOf, type Options } from "../support/storage/reflink.js";
import { tempDir } from "../support/storage/temp.js";
import { furnish, portrait, sh } from "../support/storage/tree.js";
import { listAll } from "../support/fixture/list-all.js";

/** Mounts until the test ends. */
function mounted(t: TestContext, args: readonly string[], point: string): string {
  mkdirSync(point, { recursive: true });
  execFileSync("mount", [...args, point]);
  onEnd(t, () => execFileSync("umount", ["--lazy", point]));
  return point;
}

/** A FUSE mount of user 1001, into which root may not look. silent: its daemon never answers. dead: it has ended. */
async function fuseMount(t: TestContext, point: string, daemon: "silent" | "dead"): Promise<void> {
  mkdirSync(point, { recursive: true });
  const options = "fd=3,rootmode=40000,user_id=1001,group_id=1001";
  const script = `exec 3<>/dev/fuse; mount -i -t fuse -o ${options} none "$1"; echo ready; exec 0<&0 cat`;
  const child = spawn("sh", ["-euc", script, "sh", point], { stdio: ["pipe", "pipe", "inherit"] });
  onEnd(t, () => spawnSync("umount", ["--lazy", point]));
  await once(child.stdout, "data");
  const closed = once(child, "close");
  const end = async (): Promise<void> => {
    child.stdin.end();
    await closed;
  };
  if (daemon === "dead") await end();
  else onEnd(t, end);
}

const factsOf = async ({ ctx }: Probe<Options>): Promise<Readonly<Record<string, unknown>>> =>
  (await listAll(provider, ctx))[0]?.facts ?? {};

test(
  "mounts below a tree are empty folders of the copy, also those that root may not look at",
  { skip: needsRoot },
  async (t) => {
    const fs = loopFs(t, "ext4");
    if (fs === null) return;
    const tree = `${fs}/srv/tree`;
    mkdirSync(`${tree}/covered`, { recursive: true });
    mkdirSync(`${fs}/srv/beside`);
    writeFileSync(`${tree}/file`, "1");
    writeFileSync(`${tree}/covered/hidden`, "2");
    writeFileSync(`${fs}/srv/beside/other`, "3");
    mounted(t, ["-t", "tmpfs", "none"], `${tree}/covered`);
    mounted(t, ["-t", "tmpfs", "none"], `${tree}/covered/inner`);
    mounted(t, ["--bind", `${fs}/srv/beside`], `${tree}/bound`);
    await fuseMount(t, `${tree}/silent`, "silent");
    await fuseMount(t, `${tree}/dead`, "dead");
    const probe = probeContext<Options>({}, tempDir(t));
    const copy = await take(volumeOf([tree]), probe);
    const names = readdirSync(copy, { recursive: true, encoding: "utf8" }).toSorted();
    assert.deepEqual(names, ["bound", "covered", "dead", "file", "silent"]);
    const { notCaptured } = await factsOf(probe);
    const points = ["bound", "covered", "dead", "silent"].map((name) => `${tree}/${name}`);
    assert.deepEqual((notCaptured as string[]).toSorted(), points);
    assert.equal(probe.warnings.length, 1, "one warning for all");
    assert.match(probe.warnings.join(), /and 1 more are other file systems or subvolumes/);
  },
);

test("a store that is seen in the tree by a bind mount is not copied into itself", { skip: needsRoot }, async (t) => {
  const fs = loopFs(t, "ext4");
  if (fs === null) return;
  mkdirSync(`${fs}/srv/data`, { recursive: true });
  writeFileSync(`${fs}/srv/data/file`, "1");
  const bind = mounted(t, ["--bind", `${fs}/srv`], path.join(tempDir(t), "bind"));
  const probe = probeContext<Options>({ store: `${fs}/srv/store` }, tempDir(t));
  const copy = await take(volumeOf([bind]), probe);
  assert.deepEqual(readdirSync(copy, { recursive: true, encoding: "utf8" }).toSorted(), ["data", "data/file"]);
});

test("the files of an overlay are captured, and their space is counted", { skip: needsRoot }, async (t) => {
  const lower = loopFs(t, "ext4");
  const upper = loopFs(t, "ext4", "upper");
  if (lower === null || upper === null) return;
  sh("mkdir tree; head -c 2M /dev/urandom > tree/low", lower);
  mkdirSync(`${upper}/up`);
  mkdirSync(`${upper}/work`);
  const options = `lowerdir=${lower}/tree,upperdir=${upper}/up,workdir=${upper}/work`;
  const tree = mounted(t, ["-t", "overlay", "none", "-o", options], path.join(tempDir(t), "overlay"));
  writeFileSync(`${tree}/high`, "1");
  const probe = probeContext<Options>({}, tempDir(t));
  const copy = await take(volumeOf([tree]), probe);
  assert.deepEqual(readdirSync(copy).toSorted(), ["high", "low"]);
  const { files, allocatedBytes, notCaptured } = await factsOf(probe);
  assert.deepEqual([files, notCaptured], [2, []]);
  assert.ok(Number(allocatedBytes) >= 2 ** 21);
});

test("a whole mount is copied as it is, its own attributes and odd names included", { skip: needsRoot }, async (t) => {
  const fs = loopFs(t, "ext4");
  if (fs === null) return;
  furnish(fs);
  sh("setfattr -n user.top -v kept .; chmod 0750 .; chown 1001:1002 .; touch -d 2001-01-01 .", fs);
  const before = portrait(fs);
  const copy = await take(volumeOf([fs]), probeContext<Options>({ store: path.join(tempDir(t), "store") }, tempDir(t)));
  assert.equal(portrait(copy), before);
  const look = "stat -c '%a %u %g %Y' .; getfattr -n user.top .";
  assert.equal(sh(look, copy), sh(look, fs));
});

test(
  "that project ids are lost is named where space is counted by them, and only there",
  { skip: needsRoot },
  async (t) => {
    const plain = loopFs(t, "xfs");
    if (plain === null) return t.skip("no XFS on this machine");
    const image = path.join(tempDir(t), "image");
    makeFs("xfs", image, 512 * 1024 * 1024);
    const point = path.join(tempDir(t), "counted");
    mkdirSync(point);
    // Not every kernel has quotas (CONFIG_XFS_QUOTA); those of the laboratory have.
    if (spawnSync("mount", ["-o", "loop,prjquota", image, point]).status !== 0)
      return t.skip("no quotas on this kernel");
    const counted = point;
    onEnd(t, () => void spawnSync("umount", [point]));
    for (const [fs, lost] of [
      [plain, undefined],
      [counted, "lost"],
    ] as const) {
      writeFileSync(path.join(fs, "file"), "1");
      const probe = probeContext<Options>({}, tempDir(t));
      await take(volumeOf([fs]), probe);
      assert.equal((await factsOf(probe)).projectIds, lost);
      assert.equal(/project ids/.test(probe.warnings.join()), lost !== undefined);
    }
  },
);

test(
  "attributes that the store does not take are counted and named, and all else is kept",
  { skip: needsRoot },
  async (t) => {
    const xfs = loopFs(t, "xfs");
    const ext4 = loopFs(t, "ext4");
    if (xfs === null || ext4 === null) return;
    const tree = `${xfs}/tree`;
    mkdirSync(`${tree}/dir/inner`, { recursive: true });
    const large = `$(head -c 20000 /dev/zero | tr '\\0' x)`;
    sh(
      `echo 1 > dir/file; chmod 0640 dir/file; chmod 0751 dir; chown 1001:1002 dir dir/file; setfacl -m u:1234:rx dir
     setfattr -n user.small -v 1 dir/file dir; setfattr -n user.large -v ${large} dir/file; setfattr -n user.large -v ${large} dir
     ln dir/file dir/link; touch -d 2001-01-01 dir/file dir`,
      tree,
    );
    const probe = probeContext<Options>({ store: `${ext4}/store` }, tempDir(t));
    const copy = await take(volumeOf([tree]), probe);
    const { lostAttributes } = await factsOf(probe);
    assert.deepEqual(lostAttributes, { count: 3, names: ["user.large"] });
    assert.match(probe.warnings.join(), /the store did not take 3 extended attributes: user\.large/);
    assert.equal(statSync(`${copy}/dir/file`).ino, statSync(`${copy}/dir/link`).ino);
    const look = "stat -c '%n %a %u %g %Y' dir dir/file; getfacl -p dir; getfattr -n user.small dir/file";
    assert.equal(sh(look, copy), sh(look, tree));
    assert.equal(readFileSync(`${copy}/dir/file`, "utf8"), "1\n");
  },
);

test("inode flags, which the copies have not, are counted and named", { skip: needsRoot }, async (t) => {
  const fs = loopFs(t, "ext4");
  if (fs === null) return;
  const tree = `${fs}/tree`;
  mkdirSync(`${tree}/dir`, { recursive: true });
  sh("echo 1 > fixed; echo 2 > dir/.grows; ln -s /etc/passwd link; mkfifo pipe", tree);
  onEnd(t, () => spawnSync("chattr", ["-R", "-f", "-ia", fs]));
  const plain = probeContext<Options>({}, tempDir(t));
  await take(volumeOf([tree]), plain);
  assert.equal((await factsOf(plain)).lostFlags, undefined);
  sh("chattr +i fixed; chattr +a dir/.grows; chattr +d dir .", tree);
  const probe = probeContext<Options>({}, tempDir(t));
  await take(volumeOf([tree], [`${tree}/pipe`]), probe);
  const { lostFlags } = await factsOf(probe);
  assert.deepEqual(lostFlags, { count: 3, first: ["+d tree/dir", "+a tree/dir/.grows", "+i tree/fixed"] });
  assert.match(probe.warnings.join(), /flags of chattr are not in the snapshot: /);
});

test("a fork and a scratch copy of a snapshot keep what it has", { skip: needsRoot }, async (t) => {
  const fs = loopFs(t, "ext4");
  if (fs === null) return;
  const tree = furnish(`${fs}/srv/tree`);
  sh("chmod 0750 srv; chown 1001:1002 srv", fs);
  const before = portrait(tree);
  const probe = probeContext<Options>({}, tempDir(t));
  await take(volumeOf([tree]), probe);
  const [snapshot] = await listAll(provider, probe.ctx);
  assert.ok(snapshot);
  const view = viewIn(t, "read-only");
  await provider.expose(snapshot, view, probe.ctx);
  assert.equal(sh(`stat -c '%a %u %g' ./${fs}/srv`, view.at), "750 1001 1002\n");
  await provider.unexpose(snapshot, probe.ctx);
  const fork = await provider.fork?.(snapshot, probe.ctx);
  const files = path.join(String(fork?.facts?.["path"]), "files");
  assert.equal(portrait(path.join(files, tree)), before);
  assert.equal(sh(`stat -c '%a %u %g' ./${fs}/srv`, files), "750 1001 1002\n", "parents are whose they were");
  await provider.abort(tx, probe.ctx);
  assert.equal(existsSync(files), false);
});
