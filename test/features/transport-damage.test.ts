/** Exports that are damaged, forged, or cut off, and commands that are killed: no set comes of it, and nothing is left. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { archiveOf, assertRefused, exported, rewritten } from "../support/fixture/exported-set.js";
import { pluginsThat } from "../support/fixture/misbehaving-plugins.js";
import { TransportHost } from "../support/fixture/transport-host.js";
import { program } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { tempDir } from "../support/storage/temp.js";

test("an export that is cut off anywhere, or of which any byte has changed, is refused, and nothing is left", async (t) => {
  const { folder, file } = await exported(t);
  const b = new TransportHost(t);
  const whole = readFileSync(file);
  const damaged = path.join(folder, "damaged");
  // Each third byte of a small archive is tried in test/core/engine/transport/.
  const middle = Math.floor(whole.length / 2);
  for (const place of [0, 600, middle, whole.length - 512, whole.length - 1]) {
    writeFileSync(damaged, whole.subarray(0, place));
    await assertRefused(b, damaged);
  }
  for (const place of [0, middle, middle + 5000, whole.length - 500]) {
    const flipped = Buffer.from(whole);
    flipped[place] = (flipped[place] ?? 0) ^ 0x10;
    writeFileSync(damaged, flipped);
    await assertRefused(b, damaged);
  }
  writeFileSync(damaged, Buffer.concat([whole, whole]));
  await assertRefused(b, damaged);
  assert.equal((await b.run(["import", file])).exitCode, 0);
});

test("a sidecar that is not the one of the record is refused, although the digest of the export is right", async (t) => {
  const app = { app: tempDir(t) };
  mkdirSync(path.join(app.app, "data"));
  const writers = [{ use: "writer-that", as: "app", options: app }];
  const a = new TransportHost(t, writers, [pluginsThat]);
  const folder = tempDir(t);
  assert.equal((await a.run(["create", "writer:app", "--name", "travels", "-q"])).exitCode, 0);
  const file = (await a.run(["export", "travels", "--to", folder, "-q"])).stdout.trim();
  const b = new TransportHost(t, writers, [pluginsThat]);
  const forged = await rewritten(file, path.join(folder, "forged"), (name, content) =>
    name.startsWith("sidecar/")
      ? Buffer.from(content.toString().toUpperCase().padEnd(content.length).slice(0, content.length))
      : content,
  );
  await assertRefused(b, forged);
  const missing = await rewritten(file, path.join(folder, "missing"), (name, content) =>
    name.startsWith("sidecar/") ? null : content,
  );
  await assertRefused(b, missing);
  assert.equal((await b.run(["import", file])).exitCode, 0);
  const [set] = b.recorded();
  const sidecars = path.join(b.dir, "state/sets", set ?? "", "sidecar/app");
  assert.ok(readdirSync(sidecars).length > 0);
});

test("contents that lead out of their folder by a link, a name, or a header change nothing outside", async (t) => {
  const { folder, file, id } = await exported(t);
  const b = new TransportHost(t);
  const outside = path.join(folder, "outside");
  mkdirSync(outside);
  writeFileSync(path.join(outside, "kept"), "as it was\n");
  const hostile = [
    [{ name: "./way", type: "symlink", linkname: outside }, { name: "./way/kept" }],
    [{ name: `${outside}/kept` }],
    [{ name: `../../../../../../../../../..${outside}/kept` }],
    [{ name: "./hard", type: "link", linkname: `${outside}/kept` }, { name: "./hard" }],
  ] as const;
  for (const [at, entries] of hostile.entries()) {
    const archive = await archiveOf(entries);
    const forged = await rewritten(file, path.join(folder, `hostile-${at}`), (name, content) =>
      name === "contents/0/00000000" ? archive : name.startsWith("contents/0/") ? null : content,
    );
    const run = await b.run(["import", forged]);
    assert.equal(readFileSync(path.join(outside, "kept"), "utf8"), "as it was\n", run.stdout + run.stderr);
    if (run.exitCode === 0) await b.run(["delete", id, "--yes"]);
    assert.deepEqual(b.left(), []);
  }
  for (const original of ["/etc", `${folder}/../../etc/cron.d`]) {
    const forged = await rewritten(file, path.join(folder, "header"), (name, content) =>
      name === "holdstill.json"
        ? Buffer.from(content.toString().replaceAll(`"original": "${folder}/data"`, `"original": "${original}"`))
        : content,
    );
    await assertRefused(b, forged);
  }
});

test("an import that is killed leaves no set, and the next import, or recover, clears what it left", async (t) => {
  const { file } = await exported(t);
  const whole = readFileSync(file);
  for (const how of ["import", "recover"] as const) {
    const b = new TransportHost(t);
    const child = spawn(process.execPath, [program, "import", "-", "--config", b.config], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    onEnd(t, () => child.kill("SIGKILL"));
    child.stdin.on("error", () => undefined);
    child.stdin.write(whole.subarray(0, whole.length - 2048));
    while (readdirSync(b.store).length === 0) await sleep(20);
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
    assert.deepEqual(b.recorded(), []);
    assert.notDeepEqual(b.left(), []);
    if (how === "recover") {
      const recovered = await b.run(["recover", "--yes"]);
      assert.equal(recovered.exitCode, 0, recovered.stdout + recovered.stderr);
      assert.deepEqual(b.left(), []);
    }
    assert.equal((await b.run(["import", file])).exitCode, 0);
    assert.equal(b.recorded().length, 1);
    assert.equal((await b.run(["recover"])).stdout.trim(), "Nothing is left over.");
  }
});

test("a signal ends an import in order: nothing is left", async (t) => {
  const { file } = await exported(t);
  const b = new TransportHost(t);
  const child = spawn(process.execPath, [program, "import", "-", "--config", b.config], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  onEnd(t, () => child.kill("SIGKILL"));
  child.stdin.on("error", () => undefined);
  child.stdin.write(readFileSync(file).subarray(0, 20_000));
  while (readdirSync(b.store).length === 0) await sleep(20);
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  assert.deepEqual(await exit, [130, null]);
  assert.deepEqual(b.left(), []);
});

test("an export that is killed leaves nothing that is taken for whole, and recover and the next export clear it", async (t) => {
  const { host, folder, data, file } = await exported(t);
  rmSync(file);
  truncateSync(path.join(data, "holdstill-check/file"), 0);
  writeFileSync(path.join(data, "large"), Buffer.alloc(8 * 1024 * 1024, "x"));
  assert.equal((await host.run(["create", data, "--name", "large", "-q"])).exitCode, 0);
  // Whoever reads it stops reading: the export waits.
  const child = spawn(process.execPath, [program, "export", "large", "--to", "-", "--config", host.config], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  onEnd(t, () => child.kill("SIGKILL"));
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  child.stdout.pause();
  await sleep(200);
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
  const part = path.join(folder, "part");
  writeFileSync(part, first);
  await assertRefused(new TransportHost(t), part);
  assert.equal((await host.run(["recover", "--yes"])).exitCode, 0);
  assert.equal((await host.run(["recover"])).stdout.trim(), "Nothing is left over.");
  writeFileSync(path.join(folder, ".large.tar.partial"), "what a killed export has left");
  assert.equal((await host.run(["export", "large", "--to", path.join(folder, "large.tar")])).exitCode, 0);
  assert.equal(existsSync(path.join(folder, ".large.tar.partial")), false);
  const taken = await host.run(["export", "large", "--to", path.join(folder, "large.tar")]);
  assert.equal(taken.exitCode, 2, taken.stderr);
  assert.equal((await new TransportHost(t).run(["import", path.join(folder, "large.tar")])).exitCode, 0);
});
