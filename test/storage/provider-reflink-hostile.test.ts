/** The provider as root, while the owner of what is captured tries to be root too. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Context } from "holdstill/plugin";
import provider from "@holdstill/provider-reflink";
import { probeContext, type Probe } from "../support/fixture/context.js";
import { loopFs } from "../support/storage/loop-device.js";
import { take, tx, viewIn, volumeOf, type Options } from "../support/storage/reflink.js";
import { tempDir } from "../support/storage/temp.js";
import { sh } from "../support/storage/tree.js";

const bob = { uid: 1001, gid: 1001 };

/** Bob's directory with something left out of it, and a file of root's that he must not change. */
function furnishHome(t: TestContext): { fs: string; data: string; exclude: string[]; secret: string } | null {
  const fs = loopFs(t, "xfs");
  if (fs === null) return null;
  chmodSync(path.dirname(fs), 0o755);
  const data = `${fs}/home/bob/data`;
  mkdirSync(data, { recursive: true });
  sh("echo 1 > kept; echo 2 > pid; chmod 0755 .. .; chown -R 1001:1001 ..; touch -d 2001-01-01 .", data);
  const secret = `${fs}/secret`;
  writeFileSync(secret, "root's", { mode: 0o600 });
  return { fs, data, exclude: [`${data}/pid`], secret };
}

function asBob(script: string): boolean {
  return spawnSync("sh", ["-euc", script], { ...bob, cwd: "/", stdio: "pipe" }).status === 0;
}

function portraitOf(file: string): unknown {
  const { mode, uid, gid, mtimeMs } = lstatSync(file);
  return { mode, uid, gid, mtimeMs };
}

/** Calls `intrude` before and after each program that the provider runs: whenever another user could have acted. */
function watched(probe: Probe<Options>, intrude: () => void): Context<Options> {
  const exec: Context["exec"] = async (...call) => {
    intrude();
    const result = await probe.ctx.exec(...call);
    intrude();
    return result;
  };
  return { ...probe.ctx, exec };
}

test("no other user can enter a snapshot while it is made, so that no link in it misleads root", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const { fs, data, exclude, secret } = home;
  const before = portraitOf(secret);
  const copied = `${fs}/home/.holdstill/${tx.id}.0${data}`;
  const probe = probeContext<Options>({}, tempDir(t));
  const ctx = watched(probe, () => {
    assert.equal(asBob(`mv ${copied} ${copied}.away; ln -s ${secret} ${copied}`), false, "bob came in");
  });
  const copy = await take(volumeOf([data], exclude), { ...probe, ctx });
  assert.equal(copy, copied);
  assert.deepEqual(portraitOf(secret), before);
  assert.equal(sh("stat -c '%a %u %g %Y' . kept", copy), sh("stat -c '%a %u %g %Y' . kept", data));
});

test("directories that are copied in parts are root's alone until all is copied", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const probe = probeContext<Options>({}, tempDir(t));
  const copied = `${home.fs}/home/.holdstill/${tx.id}.0${home.data}`;
  const seen: string[] = [];
  const ctx = watched(probe, () => {
    if (probe.ran.at(-1)?.includes("-a") !== true) return;
    for (const dir of [path.dirname(copied), copied]) seen.push(sh(`stat -c '%a %u %g' ${dir}`, "/").trim());
  });
  await take(volumeOf([home.data], home.exclude), { ...probe, ctx });
  assert.deepEqual(new Set(seen.slice(0, 2)), new Set(["700 0 0"]));
});

test("an owner reads the copy of what is his while it is exposed, and at no other time", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const probe = probeContext<Options>({}, tempDir(t));
  await provider.prepare(tx, [volumeOf([home.data], home.exclude)], probe.ctx);
  await provider.commit?.(tx, probe.ctx);
  const [made] = await provider.list(probe.ctx);
  assert.ok(made);
  const view = viewIn(t, "read-only");
  await assert.rejects(provider.expose(made, view, probe.ctx), { code: "UNKNOWN_SNAPSHOT" });
  const [snapshot] = await provider.seal(tx, probe.ctx);
  assert.ok(snapshot);
  const folder = String(snapshot.facts?.["path"]);
  const look = (): unknown => [statSync(folder).mode & 0o777, asBob(`cat ${view.at}${home.data}/kept`)];
  assert.deepEqual(look(), [0o700, false]);
  await provider.expose(snapshot, view, probe.ctx);
  assert.deepEqual(look(), [0o711, true]);
  assert.equal(asBob(`echo changed > ${view.at}${home.data}/kept`), false);
  await provider.unexpose(snapshot, probe.ctx);
  assert.deepEqual(look(), [0o700, false]);
});

test("links that an owner made in an exposed snapshot are not followed when it is unexposed and removed", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const { fs, data, exclude, secret } = home;
  const before = portraitOf(secret);
  const probe = probeContext<Options>({}, tempDir(t));
  const copy = await take(volumeOf([data], exclude), probe);
  const [snapshot] = await provider.list(probe.ctx);
  assert.ok(snapshot);
  await provider.expose(snapshot, viewIn(t, "writable"), probe.ctx);
  assert.equal(asBob(`mv ${copy} ${copy}.away; ln -s ${fs} ${copy}; ln -s ${secret} ${copy}.link`), true);
  sh(`chattr +i ${copy}.away/kept`, "/");
  try {
    await assert.rejects(provider.remove(snapshot, probe.ctx), { code: "STORE", message: /could not be removed/ });
    assert.equal(statSync(String(snapshot.facts?.["path"])).mode & 0o777, 0o700);
    assert.equal(
      probe.ran.some(([command]) => command === "chmod"),
      false,
      "chmod -R as root can be led astray",
    );
  } finally {
    sh(`chattr -i ${copy}.away/kept`, "/");
  }
  await provider.unexpose(snapshot, probe.ctx);
  await provider.remove(snapshot, probe.ctx);
  assert.deepEqual(portraitOf(secret), before);
  assert.equal(existsSync(`${fs}/home/.holdstill`), false);
});
