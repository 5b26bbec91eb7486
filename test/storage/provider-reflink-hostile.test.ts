/** The provider as root, while the owner of what is captured tries to be root too. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import test, { type TestContext } from "node:test";
import type { Context } from "holdstill/plugin";
import provider from "@holdstill/provider-reflink";
import { probeContext, type Probe } from "../support/fixture/context.js";
import { loopFs } from "../support/storage/loop-device.js";
import { take, tx, viewIn, volumeOf, type Options } from "../support/storage/reflink.js";
import { tempDir } from "../support/storage/temp.js";
import { sh } from "../support/storage/tree.js";
import { listAll } from "../support/fixture/list-all.js";

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
  const copied = `${fs}/home/.holdstill/${tx.id}.0/files${data}`;
  const probe = probeContext<Options>({}, tempDir(t));
  const ctx = watched(probe, () => {
    assert.equal(asBob(`mv ${copied} ${copied}.away; ln -s ${secret} ${copied}`), false, "bob came in");
  });
  const copy = await take(volumeOf([data], exclude), { ...probe, ctx });
  assert.equal(copy, copied);
  assert.deepEqual(portraitOf(secret), before);
  assert.equal(sh("stat -c '%a %u %g %Y' . kept", copy), sh("stat -c '%a %u %g %Y' . kept", data));
});

/** What bob must not read: anyone could, but for the folder above. */
function hide(fs: string): string {
  sh(
    "mkdir -p hidden/data/sub; for i in $(seq 400); do echo stolen > hidden/data/sub/$i; done; echo stolen > hidden/data/kept; chmod 0700 hidden",
    fs,
  );
  return `${fs}/hidden`;
}

/** Whether anything of what is hidden is in the store. */
const isStolen = (fs: string): boolean => spawnSync("grep", ["-rqs", "stolen", `${fs}/home/.holdstill`]).status === 0;

test("a parent of the tree that becomes a link before the copy leads nowhere", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const { fs, data } = home;
  const hidden = hide(fs);
  const probe = probeContext<Options>({}, tempDir(t));
  let swaps = 0;
  const exec: Context["exec"] = async (...call) => {
    const isCopying = call[1].includes("--parents") && call[1].includes("-a");
    if (isCopying && asBob(`cd ${fs}/home; mv bob/data bob/away; ln -s ${hidden}/data bob/data`)) swaps += 1;
    return probe.ctx.exec(...call);
  };
  chmodSync(`${fs}/home`, 0o755);
  await assert.rejects(take(volumeOf([`${data}/kept`]), { ...probe, ctx: { ...probe.ctx, exec } }), {
    code: "COPY_FAILED",
    message: /Too many levels of symbolic links/,
  });
  assert.equal(swaps, 1);
  assert.equal(isStolen(fs), false);
  await provider.abort(tx, probe.ctx);
});

test("a captured folder that becomes a link before the copy is not taken for the folder", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const { fs, data } = home;
  const hidden = hide(fs);
  const probe = probeContext<Options>({}, tempDir(t));
  await provider.prepare(tx, [volumeOf([data])], probe.ctx);
  assert.equal(asBob(`mv ${data} ${data}.away; ln -s ${hidden}/data ${data}`), true);
  await assert.rejects(async () => provider.commit?.(tx, probe.ctx), { code: "COPY_FAILED", message: /symbolic link/ });
  assert.equal(isStolen(fs), false);
  await provider.abort(tx, probe.ctx);
});

test("nor is one that becomes a link between the plan and prepare", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const { fs, data } = home;
  const hidden = hide(fs);
  const probe = probeContext<Options>({}, tempDir(t));
  const planned = volumeOf([data]);
  assert.equal(asBob(`mv ${data} ${data}.away; ln -s ${hidden}/data ${data}`), true);
  await provider.prepare(tx, [planned], probe.ctx);
  await assert.rejects(async () => provider.commit?.(tx, probe.ctx), {
    code: "COPY_FAILED",
    message: `${data} became a symbolic link after the snapshot was planned.`,
  });
  assert.equal(isStolen(fs), false);
  await provider.abort(tx, probe.ctx);
});

test("a path that is too long to be copied is refused by name, before anything is copied", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const { data } = home;
  const half = Array(11).fill("d".repeat(200)).join("/");
  assert.equal(asBob(`cd ${data}; mkdir -p ${half} e/${half}; mv e ${half}`), true);
  const probe = probeContext<Options>({}, tempDir(t));
  await assert.rejects(provider.prepare(tx, [volumeOf([data])], probe.ctx), {
    code: "UNREADABLE",
    message: /^Cannot be copied: \/.*: its path has more than 4095 bytes\.$/,
  });
  await provider.abort(tx, probe.ctx);
});

test("a folder that becomes a link while cp is in it leads nowhere", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const { fs, data } = home;
  const hidden = hide(fs);
  sh("mkdir sub; for i in $(seq 400); do head -c 200000 /dev/zero > sub/$i; done; chown -R 1001:1001 sub", data);
  const copied = `${fs}/home/.holdstill/${tx.id}.0/files${data}/sub`;
  for (let isCaught = false; !isCaught;) {
    const probe = probeContext<Options>({}, tempDir(t));
    await provider.prepare(tx, [volumeOf([data])], probe.ctx);
    const ended = Promise.resolve(provider.commit?.(tx, probe.ctx)).then(
      () => "copied",
      (error: unknown) => String(error),
    );
    const running = { isOver: false };
    void ended.then(() => (running.isOver = true));
    while (!running.isOver && !existsSync(copied)) await setImmediate();
    const pids = copiesOf(copied);
    for (const pid of pids) signal(pid, "SIGSTOP");
    const done = existsSync(copied) ? readdirSync(copied).length : 400;
    isCaught = pids.length > 0 && done > 0 && done < 400;
    if (isCaught) assert.equal(asBob(`cd ${data}; mv sub away; ln -s ${hidden}/data/sub sub`), true);
    for (const pid of pids) signal(pid, "SIGCONT");
    const outcome = await ended;
    if (isCaught) assert.match(outcome, /Too many levels of symbolic links/);
    assert.equal(isStolen(fs), false);
    await provider.abort(tx, probe.ctx);
  }
});

/** The processes of cp that write there. */
function copiesOf(copied: string): number[] {
  const target = copied.slice(0, copied.indexOf("/files"));
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return args[0] === "cp" && args.some((arg) => arg.startsWith(target));
      } catch {
        return false;
      }
    });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

test("a configured store that another user could replace is refused by match", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const { ctx } = probeContext<Options>({ store: `${home.fs}/home/bob/store` }, tempDir(t));
  await assert.rejects(provider.match(volumeOf([home.data]), ctx), {
    code: "PATH_UNSAFE",
    message: /user 1001 owns it/,
  });
});

test("directories that are copied in parts are root's alone until all is copied", async (t) => {
  const home = furnishHome(t);
  if (home === null) return;
  const probe = probeContext<Options>({}, tempDir(t));
  const copied = `${home.fs}/home/.holdstill/${tx.id}.0/files${home.data}`;
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
  const [made] = await listAll(provider, probe.ctx);
  assert.ok(made);
  const view = viewIn(t, "read-only");
  await assert.rejects(provider.expose(made, view, probe.ctx), { code: "UNKNOWN_SNAPSHOT" });
  const [snapshot] = await provider.seal(tx, probe.ctx);
  assert.ok(snapshot);
  const folder = String(snapshot.facts?.["path"]);
  const look = (): unknown => [statSync(folder).mode & 0o777, asBob(`cat ${view.at}${home.data}/kept`)];
  assert.deepEqual(look(), [0o700, false]);
  await provider.expose(snapshot, view, probe.ctx);
  assert.deepEqual(look(), [0o700, true]);
  assert.equal(asBob(`echo changed > ${view.at}${home.data}/kept`), false);
  assert.equal(asBob(`echo changed > ${folder}/files${home.data}/kept`), false, "by the store's own path");
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
  const [snapshot] = await listAll(provider, probe.ctx);
  assert.ok(snapshot);
  const view = viewIn(t, "writable");
  await provider.expose(snapshot, view, probe.ctx);
  const shown = `${view.at}${data}`;
  assert.equal(asBob(`mv ${shown} ${shown}.away; ln -s ${fs} ${shown}; ln -s ${secret} ${shown}.link`), true);
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
