/** The provider on real file systems, called directly, with real programs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import provider from "@holdstill/provider-reflink";
import { probeContext } from "../support/fixture/context.js";
import { loopFs, makeFs, mountImage } from "../support/storage/loop-device.js";
import { take, tx, viewIn, volumeOf, type Options } from "../support/storage/reflink.js";
import { tempDir } from "../support/storage/temp.js";
import { furnish, portrait, sh } from "../support/storage/tree.js";
import { listAll } from "../support/fixture/list-all.js";

for (const kind of ["btrfs", "xfs", "ext4"] as const) {
  test(`on ${kind} a tree is copied with owners, modes, times, ACLs, attributes, links and holes`, async (t) => {
    const fs = loopFs(t, kind);
    if (fs === null) return;
    const tree = furnish(`${fs}/srv/tree`);
    const before = portrait(tree);
    const probe = probeContext<Options>({}, tempDir(t));
    const copy = await take(volumeOf([tree]), probe);
    assert.equal(portrait(copy), before);
    assert.equal(statSync(`${copy}/plain/data`).ino, statSync(`${copy}/with space/hard`).ino);
    assert.ok(statSync(`${copy}/sparse`).blocks * 512 < 1024 * 1024, "the hole was filled");
    const [snapshot] = await listAll(provider, probe.ctx);
    assert.equal(snapshot?.method, kind === "ext4" ? "copy" : "reflink");
    await provider.remove(snapshot, probe.ctx);
    await provider.remove(snapshot, probe.ctx);
    assert.deepEqual(
      [existsSync(copy), existsSync(`${fs}/.holdstill`), existsSync(`${fs}/srv/.holdstill`)],
      [false, false, false],
    );
    assert.deepEqual(await listAll(provider, probe.ctx), []);
    assert.equal(portrait(tree), before);
  });
}

for (const kind of ["btrfs", "xfs"] as const) {
  test(`on ${kind} a clone shares its extents with the original and takes next to no space`, async (t) => {
    const fs = loopFs(t, kind);
    if (fs === null) return;
    mkdirSync(`${fs}/srv`);
    sh("head -c 60M /dev/urandom > file; sync -f .", `${fs}/srv`);
    const free = (): number => statfsSync(fs).bfree * statfsSync(fs).bsize;
    const before = free();
    const copy = await take(volumeOf([`${fs}/srv`]), probeContext<Options>({}, tempDir(t)));
    assert.ok(before - free() < 8 * 1024 * 1024, `${before - free()} bytes were taken`);
    assert.match(sh("filefrag -v file", copy), /shared/);
    writeFileSync(`${fs}/srv/file`, "changed");
    assert.equal(statSync(`${copy}/file`).size, 60 * 1024 * 1024);
  });
}

test("plan learns by match what will be done, where, and why it is a copy; and match leaves nothing behind", async (t) => {
  const xfs = loopFs(t, "xfs");
  const ext4 = loopFs(t, "ext4");
  if (xfs === null || ext4 === null) return;
  for (const fs of [xfs, ext4]) mkdirSync(`${fs}/srv/data`, { recursive: true });
  const { ctx } = probeContext<Options>({}, tempDir(t));
  const clone = await provider.match(volumeOf([`${xfs}/srv/data`]), ctx);
  assert.equal(clone?.method, "reflink");
  assert.equal(clone.where, `${xfs}/srv/.holdstill`);
  assert.deepEqual([clone.pointInTime, clone.group], [false, undefined]);
  const copy = await provider.match(volumeOf([`${ext4}/srv/data`]), ctx);
  assert.match(copy?.method ?? "", /^copy \(files there cannot share extents \(ext4 on .*\)\)$/);
  assert.equal(copy?.where, path.join(ctx.dataDir, "snapshots"));
  assert.deepEqual(readdirSync(`${xfs}/srv`), ["data"]);
  assert.deepEqual(readdirSync(ctx.dataDir), []);
});

test("a name that is not UTF-8 beside what is left out is refused by the plan, and not only when it is copied", async (t) => {
  const tree = path.join(tempDir(t), "tree");
  mkdirSync(path.join(tree, "left"), { recursive: true });
  const { ctx } = probeContext<Options>({}, tempDir(t));
  const volume = volumeOf([tree], [path.join(tree, "left")]);
  assert.ok(await provider.match(volume, ctx));
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/odd`), Buffer.from([0xff])]), "");
  const refusal = {
    code: "UNREADABLE",
    message: /has a name that is not UTF-8, and is beside something that is left out/,
  };
  await assert.rejects(async () => await provider.match(volume, ctx), refusal);
  assert.ok(await provider.match(volumeOf([tree]), ctx), "a whole folder goes to cp by its own name");
});

test("a folder that another user could swap is not used as a store by root", async (t) => {
  const fs = loopFs(t, "xfs");
  if (fs === null) return;
  mkdirSync(`${fs}/home/ann/data`, { recursive: true });
  chownSync(`${fs}/home/ann`, 1001, 1001);
  const support = await provider.match(volumeOf([`${fs}/home/ann/data`]), probeContext<Options>({}, tempDir(t)).ctx);
  assert.equal(support?.where, `${fs}/home/.holdstill`);
});

test("a whole mount is captured without its own snapshots, also the second time", async (t) => {
  const fs = loopFs(t, "btrfs");
  if (fs === null) return;
  furnish(fs);
  const probe = probeContext<Options>({}, tempDir(t));
  await assert.rejects(provider.prepare(tx, [volumeOf([fs])], probe.ctx), { message: /has a name that is not UTF-8/ });
  sh("rm bytes*", fs);
  const before = portrait(fs);
  const first = await take(volumeOf([fs]), probe);
  assert.ok(first.startsWith(`${fs}/.holdstill/`), first);
  const second = { ...tx, id: "20260101-000001-abcdef" };
  await provider.prepare(second, [volumeOf([fs])], probe.ctx);
  await provider.commit?.(second, probe.ctx);
  await provider.seal(second, probe.ctx);
  const snapshots = await listAll(provider, probe.ctx);
  assert.equal(snapshots.length, 2);
  for (const snapshot of snapshots) {
    const { trees } = await provider.expose(snapshot, viewIn(t, "read-only"), probe.ctx);
    assert.equal(existsSync(`${trees[0]?.path}/.holdstill`), false);
    assert.equal(portrait(trees[0]?.path ?? ""), before);
  }
});

test("exclusions are left out, directories around them keep mode, owner, ACL and time, and hard links across them hold", async (t) => {
  const fs = loopFs(t, "xfs");
  if (fs === null) return;
  const tree = `${fs}/srv/pg`;
  mkdirSync(tree, { recursive: true });
  sh(
    `mkdir -p wal/archive base/1 base/tmp log; echo 1 > wal/a; echo 2 > wal/archive/b; echo 3 > base/1/c; echo 4 > base/tmp/d; echo 5 > pid; echo 6 > log/e
     ln base/1/c link; chown 1001:1002 wal base; chmod 0500 base; chmod 0700 wal; setfacl -m u:1234:rx wal base
     touch -d 2001-01-01 wal base log .`,
    tree,
  );
  const exclude = [`${tree}/wal/*`, `${tree}/base/tmp`, `${tree}/pid`, `${tree}/not/there`];
  const copy = await take(volumeOf([tree], exclude), probeContext<Options>({}, tempDir(t)));
  assert.equal(sh("find . | sort", copy), ".\n./base\n./base/1\n./base/1/c\n./link\n./log\n./log/e\n./wal\n");
  const look = "stat -c '%n %a %u %g %Y' . wal base log; getfacl -p wal base";
  assert.equal(sh(look, copy), sh(look, tree));
  assert.equal(statSync(`${copy}/link`).ino, statSync(`${copy}/base/1/c`).ino);
});

test("files that vanish or are replaced while being copied do not fail the copy, and those that stay are whole", async (t) => {
  const tree = path.join(tempDir(t), "live");
  sh(`mkdir -p ${tree}/churn; head -c 1000000 /dev/urandom > ${tree}/steady`, "/");
  const script = `cd ${tree}/churn; while :; do for i in $(seq 300); do echo a > new; mv new f$i; mkdir -p d$i; echo x > d$i/x; done; rm -rf *; done`;
  const churn = spawn("sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  assert.ok(churn.pid !== undefined);
  try {
    await sleep(100);
    let vanished = 0;
    for (let round = 0; round < 40 && vanished === 0; round += 1) {
      const probe = probeContext<Options>({}, tempDir(t));
      const copy = await take(volumeOf([tree]), probe);
      assert.deepEqual(readFileSync(`${copy}/steady`), readFileSync(`${tree}/steady`));
      vanished += Number((await listAll(provider, probe.ctx))[0]?.facts?.["vanished"]);
    }
    assert.ok(vanished > 0, "nothing vanished in 40 copies: the test proves nothing");
  } finally {
    process.kill(-churn.pid, "SIGKILL");
    // The pipe closes with the last process of the group.
    await once(churn, "close");
  }
});

test("a btrfs file without copy-on-write is copied where it cannot be cloned, with its hard links, and counted", async (t) => {
  const fs = loopFs(t, "btrfs");
  if (fs === null) return;
  mkdirSync(`${fs}/srv/db/hot`, { recursive: true });
  sh("chattr +C .; head -c 1M /dev/urandom > one; chmod 0400 one; ln one two", `${fs}/srv/db/hot`);
  const probe = probeContext<Options>({}, tempDir(t));
  const copy = await take(volumeOf([`${fs}/srv/db`]), probe);
  assert.deepEqual(readFileSync(`${copy}/hot/two`), readFileSync(`${fs}/srv/db/hot/one`));
  assert.equal(statSync(`${copy}/hot/one`).ino, statSync(`${copy}/hot/two`).ino);
  assert.ok(Number((await listAll(provider, probe.ctx))[0]?.facts?.["unshared"]) > 0);
});

test("a copy that does not fit is refused with numbers before anything is written", async (t) => {
  const small = loopFs(t, "ext4");
  if (small === null) return;
  const tree = tempDir(t);
  sh("head -c 400M /dev/zero > big", tree);
  const probe = probeContext<Options>({ store: `${small}/store` }, tempDir(t));
  await assert.rejects(provider.prepare(tx, [volumeOf([tree])], probe.ctx), {
    code: "NO_SPACE",
    message: /^The copy needs 41\d\.\d MiB in .*\/store; 2\d\d\.\d MiB are free there\.$/,
  });
  assert.equal(existsSync(`${small}/store`), false);
  assert.deepEqual(await listAll(provider, probe.ctx), []);
});

test("a copy that was cut off is found and removed by a blank process, twice, and its original is untouched", async (t) => {
  const fs = loopFs(t, "xfs");
  if (fs === null) return;
  const tree = furnish(`${fs}/srv/tree`);
  const before = portrait(tree);
  const dataDir = tempDir(t);
  const stop = new AbortController();
  const probe = probeContext<Options>({}, dataDir, stop.signal);
  await provider.prepare(tx, [volumeOf([tree])], probe.ctx);
  const commit = provider.commit?.(tx, probe.ctx);
  stop.abort();
  await assert.rejects(async () => commit);
  assert.equal(existsSync(`${fs}/srv/.holdstill`), true);
  const blank = probeContext<Options>({}, dataDir).ctx;
  assert.equal((await listAll(provider, blank)).length, 1);
  await provider.abort(tx, blank);
  await provider.abort(tx, blank);
  assert.deepEqual(readdirSync(`${fs}/srv`), ["tree"]);
  assert.deepEqual(await listAll(provider, blank), []);
  assert.equal(portrait(tree), before);
});

test("a snapshot's folder that was swapped for a link is not followed when it is removed", async (t) => {
  const tree = tempDir(t);
  const precious = tempDir(t);
  writeFileSync(`${precious}/keep`, "");
  const probe = probeContext<Options>({}, tempDir(t));
  await take(volumeOf([tree]), probe);
  const [snapshot] = await listAll(provider, probe.ctx);
  assert.ok(snapshot);
  const folder = String(snapshot.facts?.["path"]);
  sh(`mv ${folder} ${folder}.old; ln -s ${precious} ${folder}`, "/");
  await assert.rejects(provider.remove(snapshot, probe.ctx), { code: "STORE", message: /not a snapshot's folder/ });
  assert.equal(existsSync(`${precious}/keep`), true);
});

test("a store whose file system is not mounted is an error of remove, and is not forgotten", async (t) => {
  const store = path.join(tempDir(t), "store");
  const probe = probeContext<Options>({ store }, tempDir(t));
  await take(volumeOf([tempDir(t)]), probe);
  const [snapshot] = await listAll(provider, probe.ctx);
  assert.ok(snapshot);
  sh(`mv ${store} ${store}.away`, "/");
  await assert.rejects(provider.remove(snapshot, probe.ctx), { code: "UNREACHABLE", message: /does not exist/ });
  sh(`mv ${store}.away ${store}`, "/");
  await provider.remove(snapshot, probe.ctx);
  assert.deepEqual(readdirSync(store), []);
});

test("while the file system of the store is unmounted, list is partial, remove and unexpose fail, and nothing is forgotten", async (t) => {
  const dir = tempDir(t);
  const image = path.join(dir, "image");
  makeFs("ext4", image, 32 * 1024 * 1024);
  const { point, end } = mountImage(t, image, path.join(dir, "disk"));
  const store = path.join(point, "store");
  const probe = probeContext<Options>({ store }, tempDir(t));
  await take(volumeOf([tempDir(t)]), probe);
  const [snapshot] = await listAll(provider, probe.ctx);
  assert.ok(snapshot);
  end();
  // A folder of the same name below: an empty store is not the store.
  mkdirSync(store, { mode: 0o700 });
  // Also where the plugin's data folder is lost, and only the host's record is left.
  for (const ctx of [probe.ctx, probeContext<Options>({ store }, tempDir(t)).ctx]) {
    for (const op of ["remove", "unexpose"] as const)
      await assert.rejects(provider[op](snapshot, ctx), { code: "UNREACHABLE", message: /was on the file system at/ });
  }
  const listed = await provider.list(probe.ctx);
  assert.ok(!Array.isArray(listed));
  assert.deepEqual(listed.snapshots, []);
  assert.match(listed.unseen.join(), /was on the file system at .*If it no longer exists, remove the files/);
  mountImage(t, image, point);
  assert.equal((await listAll(provider, probe.ctx)).length, 1);
  await provider.remove(snapshot, probe.ctx);
  assert.deepEqual(readdirSync(store), []);
});

test("what is to be made is on record before it is made, so that abort finds it whatever happens", async (t) => {
  const dir = tempDir(t);
  writeFileSync(`${dir}/file`, "");
  const probe = probeContext<Options>({ store: `${dir}/file/store` }, tempDir(t));
  await assert.rejects(provider.prepare(tx, [volumeOf([tempDir(t)])], probe.ctx), { code: "STORE" });
  assert.deepEqual(readdirSync(`${probe.ctx.dataDir}/registry`), [`${tx.id}.0.json`]);
  await provider.abort(tx, probe.ctx);
  assert.deepEqual(readdirSync(`${probe.ctx.dataDir}/registry`), []);
});

test("a subvolume inside the tree is not captured, and that is said", async (t) => {
  const fs = loopFs(t, "btrfs");
  if (fs === null) return;
  mkdirSync(`${fs}/srv`);
  sh("btrfs subvolume create inner; echo > inner/file", `${fs}/srv`);
  const probe = probeContext<Options>({}, tempDir(t));
  const copy = await take(volumeOf([`${fs}/srv`]), probe);
  assert.deepEqual(readdirSync(`${copy}/inner`), []);
  assert.match(probe.warnings.join(), /srv\/inner is another file system or subvolume/);
  assert.deepEqual((await listAll(provider, probe.ctx))[0]?.facts?.["notCaptured"], [`${fs}/srv/inner`]);
});
