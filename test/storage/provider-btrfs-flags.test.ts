/** What chattr sets, in a snapshot that has it: it comes back with the files, in place and elsewhere. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Restored } from "#core/base/schema/types.js";
import { needsRoot } from "../support/process/as-user.js";
import { holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { subvolume, topOf } from "../support/storage/btrfs.js";
import { loopFs } from "../support/storage/loop-device.js";
import { tempDir } from "../support/storage/temp.js";

const files = (at: string): string[] => ["", "fixed", "in", "in/grows"].map((name) => path.join(at, name));

/** Without `e`, which ext4 notes for itself. */
const flags = (at: string): string =>
  execFileSync("lsattr", ["-d", ...files(at)], { encoding: "utf8" }).replaceAll(/[-e]| .*/g, "");

test(
  "immutable and append-only files are that again after a restore, and so is the folder itself",
  { skip: needsRoot },
  async (t) => {
    const top = topOf(t);
    const ext4 = loopFs(t, "ext4");
    if (top === null || ext4 === null) return;
    const data = path.join(subvolume(path.join(top, "volume")), "data");
    mkdirSync(path.join(data, "in"), { recursive: true });
    onEnd(t, () => spawnSync("chattr", ["-R", "-f", "-ia", top, ext4]));
    for (const name of ["fixed", "in/grows"]) writeFileSync(path.join(data, name), name);
    execFileSync("chattr", ["+a", path.join(data, "in/grows")]);
    execFileSync("chattr", ["+i", data, path.join(data, "fixed"), path.join(data, "in")]);
    const before = flags(data);
    const dir = tempDir(t);
    const config = path.join(dir, "config.json");
    writeFileSync(
      config,
      JSON.stringify({ stateDir: `${dir}/state`, exposeDir: `${dir}/exposed`, plugins: [{ use: "provider-btrfs" }] }),
    );
    const run = (...args: string[]): ReturnType<typeof holdstill> => holdstill([...args, "--config", config]);
    const made = await run("create", data, "--name", "flags", "--quiet");
    assert.equal(made.exitCode, 0, made.stderr);
    const elsewhere = await run("restore", "flags", "--to", path.join(ext4, "copy"), "--yes", "--json");
    assert.equal(elsewhere.exitCode, 0, elsewhere.stderr);
    assert.equal((elsewhere.json() as Restored).withoutFlags, undefined);
    assert.equal(flags(path.join(ext4, "copy", data)), before);
    execFileSync("chattr", ["-R", "-ia", data]);
    rmSync(data, { recursive: true });
    const restored = await run("restore", "flags", "--yes");
    assert.equal(restored.exitCode, 0, restored.stderr);
    assert.equal(flags(data), before);
    assert.equal(readFileSync(path.join(data, "in/grows"), "utf8"), "in/grows");
    assert.equal((await run("delete", "flags", "--yes")).exitCode, 0);
  },
);
