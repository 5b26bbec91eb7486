/** The provider without root: a process of uid 65534 on a real file system. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { loopFs } from "../support/storage/loop-device.js";
import { tempDir } from "../support/storage/temp.js";
import { sh } from "../support/storage/tree.js";

const tx = { id: "20260101-000000-abcdef", cut: "fuzzy" } as const;

test("an ordinary user takes, exposes and removes a snapshot of read-only directories, and is told what may not be read", async (t) => {
  if (process.getuid?.() !== 0) return t.skip("becoming another user needs root");
  const fs = loopFs(t, "btrfs");
  if (fs === null) return;
  const home = `${fs}/home`;
  sh(
    `mkdir -p tree/locked/deep tree/out data; echo 1 > tree/locked/a; echo 2 > tree/locked/deep/b; echo 3 > tree/locked/c; echo 4 > tree/out/d
     mkdir tree/hot; chattr +C tree/hot; echo 5 > tree/hot/e; chmod 0400 tree/hot/e; chmod 0500 tree/locked tree/locked/deep; echo s > ../secret; chmod 0600 ../secret; chown -R 65534:65534 .`,
    (mkdirSync(home), home),
  );
  const result = asNobody(t, home);
  assert.deepEqual(result, {
    method: "reflink",
    taken: [".", "./hot", "./hot/e", "./locked", "./locked/a", "./locked/deep", "./locked/deep/b", "./out", "./out/d"],
    mode: "500",
    refused: `Cannot be copied: ${fs}/secret: permission denied.`,
    left: [],
  });
});

/** Runs the provider in a process of uid 65534: what it did, as data. */
function asNobody(t: TestContext, home: string): unknown {
  const script = `
    import { execFileSync } from "node:child_process";
    import { readdirSync } from "node:fs";
    const { default: provider } = await import(${JSON.stringify(import.meta.resolve("@holdstill/provider-reflink"))});
    const { probeContext } = await import(${JSON.stringify(import.meta.resolve("../support/fixture/context.js"))});
    const { ctx } = probeContext({}, ${JSON.stringify(`${home}/data`)});
    const volume = (paths, exclude) => ({ id: "v", mountPoint: ${JSON.stringify(path.dirname(home))}, fsType: "btrfs", source: "x", root: "/", devices: [], paths, exclude });
    const tx = ${JSON.stringify(tx)};
    await provider.prepare(tx, [volume(["${home}/tree"], ["${home}/tree/locked/c"])], ctx);
    await provider.commit(tx, ctx);
    const [snapshot] = await provider.seal(tx, ctx);
    const { trees } = await provider.expose(snapshot, { access: "read-only", at: "/nowhere" }, ctx);
    const cwd = trees[0].path;
    const taken = execFileSync("sh", ["-c", "find . | sort"], { cwd, encoding: "utf8" }).trim().split("\\n");
    const mode = execFileSync("stat", ["-c", "%a", "locked"], { cwd, encoding: "utf8" }).trim();
    await provider.remove(snapshot, ctx);
    const refused = await provider.prepare(tx, [volume(["${path.dirname(home)}/secret"], [])], ctx).catch((error) => error.message);
    console.log(JSON.stringify({ method: snapshot.method, taken, mode, refused, left: readdirSync(ctx.dataDir + "/snapshots") }));`;
  const file = path.join(tempDir(t), "nobody.mjs");
  writeFileSync(file, script);
  chmodSync(path.dirname(file), 0o755);
  chmodSync(path.dirname(path.dirname(home)), 0o755);
  return JSON.parse(execFileSync(process.execPath, [file], { uid: 65534, gid: 65534, encoding: "utf8" }));
}
