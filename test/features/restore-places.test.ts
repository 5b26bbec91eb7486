/** Places that a restore must not, or can only just, put something to. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { onEnd } from "../support/process/on-end.js";
import { Scene } from "../support/fixture/scene.js";
import { needsRoot } from "../support/process/as-user.js";

interface Made {
  stage: Scene;
  base: string;
  create: (...targets: string[]) => Promise<string>;
}

function scene(t: TestContext): Made {
  const stage = new Scene(t);
  const create = async (...targets: string[]): Promise<string> => {
    const made = await stage.run(["create", ...targets, "--quiet"]);
    assert.equal(made.exitCode, 0, made.stderr);
    return made.stdout.trim();
  };
  return { stage, base: realpathSync(stage.dir), create };
}

function folder(whole: string, text: string): string {
  mkdirSync(whole, { recursive: true });
  writeFileSync(path.join(whole, "file"), text);
  return whole;
}

function tmpfs(t: TestContext, at: string, ...options: string[]): void {
  execFileSync("mount", ["-t", "tmpfs", ...options, "tmpfs", at]);
  onEnd(t, () => execFileSync("umount", [at]));
}

const read = (...parts: string[]): string => readFileSync(path.join(...parts, "file"), "utf8");

test(
  "a mount below the data is refused by name before anything is copied, also in a dry run",
  { skip: needsRoot },
  async (t) => {
    const { stage, base, create } = scene(t);
    const data = folder(path.join(base, "data"), "precious");
    const inner = path.join(data, "a b/disk");
    mkdirSync(inner, { recursive: true });
    const id = await create(data);
    tmpfs(t, inner);
    writeFileSync(path.join(inner, "live"), "");
    for (const how of ["--dry-run", "--yes"]) {
      const refused = await stage.run(["restore", id, how, "--json"]);
      assert.equal(refused.exitCode, 3, refused.stdout);
      assert.match(refused.stdout, /"E_RESTORE"/);
      assert.match(refused.stdout, /a b\/disk is mounted below it/);
    }
    assert.ok(existsSync(path.join(inner, "live")));
    assert.deepEqual(
      readdirSync(base).filter((name) => name.includes("data")),
      ["data"],
    );
  },
);

test(
  "targets that overlap are one, and a disk below a target goes into the copy around it",
  { skip: needsRoot },
  async (t) => {
    const { stage, base, create } = scene(t);
    const outer = folder(path.join(base, "outer"), "outer");
    const part = folder(path.join(outer, "part"), "part");
    const disk = path.join(outer, "x/disk");
    mkdirSync(disk, { recursive: true });
    tmpfs(t, disk);
    folder(disk, "disk");
    symlinkSync(part, path.join(base, "link"));
    const plan = await stage.run(["plan", part, outer, disk, path.join(base, "link"), "--json"]);
    assert.match(plan.stdout, /Target \S+outer\/part is a part of \S+outer: both are one\./);
    const id = await create(part, outer, disk, path.join(base, "link"));
    const look = path.join(base, "look");
    const done = await stage.run(["restore", id, "--to", look, "--yes", "--json"]);
    assert.equal(done.exitCode, 0, done.stdout + done.stderr);
    assert.deepEqual([read(look, outer), read(look, part), read(look, disk)], ["outer", "part", "disk"]);
    const inPlace = await stage.run(["restore", id, "--yes", "--json"]);
    assert.match(inPlace.stdout, /x\/disk is mounted below it/);
  },
);

test("a target named by a link, or with a slash at its end, is put back where it really is", async (t) => {
  const { stage, base, create } = scene(t);
  const data = folder(path.join(base, "data"), "precious");
  symlinkSync(data, path.join(base, "link"));
  const id = await create(`${path.join(base, "link")}/`);
  writeFileSync(path.join(data, "file"), "spoilt");
  const done = await stage.run(["restore", id, "--yes"]);
  assert.equal(done.exitCode, 0, done.stderr);
  assert.equal(read(data), "precious");
  const more = [`${folder(path.join(base, "slash"), "precious")}/`, path.join(base, "bylink")];
  symlinkSync(folder(path.join(base, "target"), "precious"), path.join(base, "bylink"));
  const made = await stage.run(["create", "writer:app", "--quiet"], { writer: { more } });
  assert.equal(made.exitCode, 0, made.stderr);
  for (const name of ["slash", "target"]) writeFileSync(path.join(base, name, "file"), "spoilt");
  const back = await stage.run(["restore", made.stdout.trim(), "--yes"], { writer: { more } });
  assert.equal(back.exitCode, 0, back.stderr);
  assert.deepEqual([read(base, "slash"), read(base, "target")], ["precious", "precious"]);
});

test("names of up to 255 bytes come back, and what was there is kept under another name", async (t) => {
  const { stage, base, create } = scene(t);
  const names = [`a${"ä".repeat(127)}`, `${"b".repeat(240)}1`, `${"b".repeat(240)}2`];
  for (const name of names) folder(path.join(base, name), "precious");
  const id = await create(...names.map((name) => path.join(base, name)));
  for (const name of names) writeFileSync(path.join(base, name, "file"), "spoilt");
  const done = await stage.run(["restore", id, "--yes"]);
  assert.equal(done.exitCode, 0, done.stderr);
  assert.deepEqual(
    names.map((name) => read(base, name)),
    ["precious", "precious", "precious"],
  );
  const kept = readdirSync(base).filter((name) => name.endsWith(`.before-${id}`));
  assert.deepEqual(
    kept.map((name) => read(base, name)),
    ["spoilt", "spoilt", "spoilt"],
  );
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
});

test(
  "what the kernel or the disk refuses has a code and the command that shows the cause, and nothing is left",
  { skip: needsRoot },
  async (t) => {
    const { stage, base, create } = scene(t);
    const data = folder(path.join(base, "data"), "x".repeat(3 * 1024 * 1024));
    const id = await create(data);
    const [readOnly, small] = [path.join(base, "read-only"), path.join(base, "small")];
    for (const at of [readOnly, small]) mkdirSync(at);
    tmpfs(t, readOnly, "-o", "ro");
    tmpfs(t, small, "-o", "size=1m,mode=755");
    const locked = path.join(base, "locked");
    mkdirSync(locked);
    execFileSync("chattr", ["+i", locked]);
    onEnd(t, () => execFileSync("chattr", ["-i", locked]));
    const cases: [to: string, code: string, seen: RegExp][] = [
      [readOnly, "E_PATH_FAILED", new RegExp(`\\(EROFS\\)[^]*findmnt ${readOnly}\\b`)],
      [locked, "E_PATH_FAILED", /\(EPERM\)[^]*lsattr -d/],
      [small, "E_PATH_FAILED", new RegExp(`\\(ENOSPC\\)[^]*df -h ${small};`)],
      ["/proc/1", "E_RESTORE", /\/proc is a file system of the kernel/],
      ["/sys/kernel/x", "E_RESTORE", /is a file system of the kernel/],
    ];
    for (const [to, code, seen] of cases) {
      const refused = await stage.run(["restore", id, "--to", to, "--yes", "--json"]);
      assert.match(refused.stdout, new RegExp(`"${code}"`), to);
      assert.match(refused.stdout, seen);
    }
    assert.deepEqual(
      readdirSync(small, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("restoring")),
      [],
    );
    assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
    assert.equal(existsSync(path.join(stage.dir, "exposed", id)), false);
  },
);
