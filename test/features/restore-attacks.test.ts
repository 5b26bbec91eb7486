/** `holdstill restore` by root, where other users own what is around the data, and change it meanwhile. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { Scene } from "../support/fixture/scene.js";
import { alice, asUser, mallory, needsRoot } from "../support/process/as-user.js";
import { interferedWith } from "../support/process/kernel-hook.js";

interface Home {
  stage: Scene;
  id: string;
  /** root's folder, with another user's home below. */
  base: string;
  /** Between the home and the data, both of the same user. */
  www: string;
  data: string;
  /** Only root may write there. */
  secret: string;
}

/** A set of a user's folder, in a folder of the same user. */
async function home(t: TestContext): Promise<Home> {
  const stage = new Scene(t);
  const base = realpathSync(stage.dir);
  chmodSync(base, 0o755);
  const [www, data] = [path.join(base, "home/www"), path.join(base, "home/www/site")];
  mkdirSync(data, { recursive: true });
  writeFileSync(path.join(data, "file"), "precious\n");
  for (const dir of [path.dirname(www), www, data, path.join(data, "file")]) chownSync(dir, alice.uid, alice.gid);
  const secret = path.join(base, "secret");
  mkdirSync(secret);
  const made = await stage.run(["create", data, "--quiet"]);
  assert.equal(made.exitCode, 0, made.stderr);
  writeFileSync(path.join(data, "file"), "spoilt");
  return { stage, id: made.stdout.trim(), base, www, data, secret };
}

test(
  "a user's data comes back below that user's own folders, and with --to below a folder of root",
  { skip: needsRoot },
  async (t) => {
    const { stage, id, base, www, data } = await home(t);
    const done = await stage.run(["restore", id, "--yes"]);
    assert.equal(done.exitCode, 0, done.stderr);
    assert.equal(readFileSync(path.join(data, "file"), "utf8"), "precious\n");
    assert.equal(statSync(data).uid, alice.uid);
    assert.deepEqual(readdirSync(www).toSorted(), ["site", `site.before-${id}`]);
    const look = path.join(base, "look");
    const elsewhere = await stage.run(["restore", id, "--to", look, "--yes"]);
    assert.equal(elsewhere.exitCode, 0, elsewhere.stderr);
    assert.equal(readFileSync(path.join(look, data, "file"), "utf8"), "precious\n");
    assert.deepEqual(readdirSync(look).toSorted(), [".holdstill", base.split("/")[1] ?? ""].toSorted());
    const own = path.join(base, "home/look");
    const inHome = await stage.run(["restore", id, "--to", own, "--yes"]);
    assert.equal(inHome.exitCode, 0, inHome.stderr);
    assert.equal(statSync(path.join(own, path.dirname(data))).uid, alice.uid, "missing folders are the owner's");
  },
);

test(
  "a parent that has become a link to root's folder is refused, and so are data of root below another user's folder",
  { skip: needsRoot },
  async (t) => {
    const { stage, id, base, www, data, secret } = await home(t);
    asUser(alice, () => {
      renameSync(www, `${www}-moved`);
      symlinkSync(secret, www);
    });
    for (const args of [["--dry-run"], ["--yes"]]) {
      const refused = await stage.run(["restore", id, ...args, "--json"]);
      assert.equal(refused.exitCode, 3, refused.stdout);
      assert.match(refused.stdout, /"E_PATH_UNSAFE"/);
      assert.match(refused.stdout, /it is a symbolic link/);
    }
    assert.deepEqual(readdirSync(secret), []);
    const to = path.join(base, "home/hers");
    const elsewhere = await stage.run(["restore", id, "--to", `${to}/../www`, "--yes", "--json"]);
    assert.match(elsewhere.stdout, /"E_PATH_UNSAFE"/);
    assert.deepEqual(readdirSync(secret), []);
    asUser(alice, () => renameSync(`${www}-moved`, path.join(base, "home/www2")));
    chownSync(path.join(base, "home"), mallory.uid, mallory.gid);
    const hers = await stage.run(["restore", id, "--to", path.join(base, "home/x"), "--yes", "--json"]);
    assert.match(hers.stdout, /"E_PATH_UNSAFE"/, "of one user, below a folder of another");
    assert.ok(!existsSync(path.join(base, "home/x")));
    assert.equal(existsSync(data), false);
  },
);

for (const [before, time] of [
  ["mkdirat", 1],
  ["openTree", 2],
  ["renameat2", 1],
  ["renameat2", 2],
] as const)
  test(`a parent that becomes a link before ${before} ${time} leads root nowhere`, { skip: needsRoot }, async (t) => {
    const { stage, id, www, secret } = await home(t);
    const script = `mv ${www} ${www}-moved; ln -s ${secret} ${www}`;
    const hook = interferedWith(t, { before, time, script, user: alice });
    const args = ["restore", id, "--yes", "--json"];
    const run = await stage.run(args, {}, { nodeArgs: hook });
    assert.ok([0, 3, 4].includes(run.exitCode ?? -1), run.stdout + run.stderr);
    assert.doesNotMatch(run.stdout, /E_BUG/);
    assert.deepEqual(readdirSync(secret), []);
    assert.ok(existsSync(`${www}-moved`), "the hook was reached");
    assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
    const left = readdirSync(`${www}-moved`).filter((name) => name.startsWith(".restoring"));
    assert.deepEqual(left, []);
  });

for (const [before, time, reads] of [
  ["openTree", 2, "spoilt"],
  ["renameat2", 2, "spoilt"],
  ["fsync", 1, "precious\n"],
] as const)
  test(
    `killed before ${before} ${time}: recover removes the copy and unexposes the set`,
    { skip: needsRoot },
    async (t) => {
      const { stage, id, www, data } = await home(t);
      const hook = interferedWith(t, { before, time, script: "true", kills: true });
      const run = await stage.run(["restore", id, "--yes"], {}, { nodeArgs: hook });
      assert.equal(run.exitCode, null, run.stdout + run.stderr);
      assert.equal(readFileSync(path.join(data, "file"), "utf8"), reads);
      const dry = await stage.run(["recover", "--dry-run", "--json"]);
      const { leftovers } = dry.json() as { leftovers: { type: string; id: string }[] };
      assert.deepEqual(
        leftovers.map((one) => [one.type, one.id]),
        [["restore", id]],
      );
      const recovered = await stage.run(["recover", "--yes"]);
      assert.equal(recovered.exitCode, 0, recovered.stderr);
      const kept = readdirSync(www).toSorted();
      assert.deepEqual(kept, reads === "spoilt" ? ["site"] : ["site", `site.before-${id}`]);
      assert.equal(readFileSync(path.join(data, "file"), "utf8"), reads);
      assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
      assert.equal(existsSync(path.join(stage.dir, "exposed", id)), false);
    },
  );

test(
  "a captured folder that became a link before the cut is not exposed, mounted or restored",
  { skip: needsRoot },
  async (t) => {
    const stage = new Scene(t);
    const base = realpathSync(stage.dir);
    chmodSync(base, 0o755);
    const [hers, data, secret, at] = ["hers", "hers/data", "secret", "at"].map((name) => path.join(base, name)) as [
      string,
      string,
      string,
      string,
    ];
    for (const dir of [hers, data, secret, at]) mkdirSync(dir);
    chmodSync(secret, 0o700);
    writeFileSync(path.join(secret, "key"), "for root alone");
    for (const dir of [hers, data]) chownSync(dir, mallory.uid, mallory.gid);
    // prepare is after the plan, and before the cut.
    const swap = `mv ${data} ${data}-moved; ln -s ${secret} ${data}`;
    const made = await stage.run(["create", data, "--quiet"], { provider: { shell: swap } });
    assert.equal(made.exitCode, 0, made.stderr);
    const id = made.stdout.trim();
    const config = stage.configFile();
    for (const command of [
      ["expose", id],
      ["expose", id, "--at", at],
      ["restore", id, "--to", path.join(base, "look"), "--yes"],
    ]) {
      const refused = await stage.run([...command, "--json", "--config", config]);
      assert.equal(refused.exitCode, 3, refused.stdout + refused.stderr);
      assert.match(refused.stdout, /"E_PATH_UNSAFE"/);
      assert.match(refused.stdout, /it is a symbolic link/);
    }
    assert.deepEqual([readdirSync(at), existsSync(path.join(base, "look", data))], [[], false]);
    assert.doesNotMatch(readFileSync("/proc/self/mountinfo", "utf8"), new RegExp(base));
    assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
    execFileSync("rm", ["-r", `${data}-moved`]);
  },
);
