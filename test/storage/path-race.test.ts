import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { isHoldstillError } from "#core/base/errors/error.js";
import { AT_FDCWD, RENAME_EXCHANGE } from "#core/os/path/flags.js";
import { removeTree } from "#core/os/path/remove-tree.js";
import { walk } from "#core/os/path/walk.js";
import { alice, needsRoot } from "../support/process/as-user.js";
import { onEnd } from "../support/process/on-end.js";
import { tempDir } from "../support/storage/temp.js";

const rounds = 2000;
const syscalls = JSON.stringify(import.meta.resolve("#core/os/path/syscalls.js"));

/** A process of another user that changes two names as fast as it can, until the test ends. */
async function racer(t: TestContext, one: string, other: string): Promise<void> {
  const script = `
    import { kernel } from ${syscalls};
    console.log("ready");
    for (;;) kernel.renameat2(${AT_FDCWD}, ${JSON.stringify(one)}, ${AT_FDCWD}, ${JSON.stringify(other)}, ${RENAME_EXCHANGE});`;
  const rights = ["--reuid", String(alice.uid), "--regid", String(alice.gid), "--clear-groups", "--pdeathsig", "KILL"];
  const child = spawn("setpriv", [...rights, "--", process.execPath, "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onEnd(t, async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  await once(child.stdout, "data");
}

test(
  "against a process that keeps swapping a folder for a link, root works in the folder or refuses",
  { skip: needsRoot },
  async (t) => {
    const base = realpathSync(tempDir(t));
    chmodSync(base, 0o755);
    const [home, outside] = [path.join(base, "home"), path.join(base, "outside")];
    for (const dir of [home, outside, path.join(home, "a"), path.join(outside, "tree")]) mkdirSync(dir);
    for (const dir of [home, path.join(home, "a")]) chownSync(dir, alice.uid, alice.gid);
    writeFileSync(path.join(outside, "tree/file"), "secret");
    symlinkSync(outside, path.join(home, "link"));
    lchownSync(path.join(home, "link"), alice.uid, alice.gid);
    await racer(t, path.join(home, "a"), path.join(home, "link"));

    const tally = { done: 0, refused: 0 };
    for (let round = 0; round < rounds; round += 1) {
      try {
        using folder = walk(path.join(home, "a"), { owner: alice.uid });
        {
          using tree = folder.mkdir("tree");
          tree.create("file")[Symbol.dispose]();
        }
        const expected = folder.find("tree");
        assert.ok(expected);
        await removeTree(folder, "tree", { expected });
        tally.done += 1;
      } catch (error) {
        if (!isHoldstillError(error) || error.code !== "E_PATH_UNSAFE") throw error;
        tally.refused += 1;
      }
    }
    t.diagnostic(JSON.stringify(tally));
    assert.ok(tally.done > 0 && tally.refused > 0);
    assert.deepEqual([readdirSync(outside), readdirSync(path.join(outside, "tree"))], [["tree"], ["file"]]);
    assert.equal(readFileSync(path.join(outside, "tree/file"), "utf8"), "secret");
  },
);
