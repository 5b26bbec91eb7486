/** A disk that snapshots, or others, have filled: what fills it can be removed. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { randomBytes } from "node:crypto";
import test from "node:test";
import { needsRoot } from "../support/process/as-user.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { loopFs } from "../support/storage/loop-device.js";

/** Until not a byte fits any more. */
function fill(folder: string): void {
  const blocks = [1024 * 1024, 4096, 1];
  for (const [at, size] of blocks.entries()) {
    const block = randomBytes(size);
    for (let count = 0; ; count += 1) {
      try {
        appendFileSync(path.join(folder, `fill-${at}-${Math.floor(count / 16)}`), block);
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
        break;
      }
    }
  }
}

for (const kind of ["ext4", "xfs", "btrfs"] as const) {
  test(`sets on a full ${kind} are deleted, which is in the audit`, { skip: needsRoot }, async (t) => {
    const mount = loopFs(t, kind);
    if (mount === null) return;
    const env = { HOLDSTILL_STATE_DIR: path.join(mount, "state"), HOLDSTILL_EXPOSE_DIR: path.join(mount, "exposed") };
    const run = (...args: string[]): Promise<CliRun> => holdstill(args, { env });
    const data = path.join(mount, "data");
    mkdirSync(data);
    writeFileSync(path.join(data, "file"), randomBytes(30 * 1024 * 1024));
    for (const name of ["one", "two"]) assert.equal((await run("create", data, "--name", name, "--quiet")).exitCode, 0);
    // What only the snapshots have by now.
    rmSync(path.join(data, "file"));
    fill(mount);
    const deleted = await run("delete", "one", "two", "--yes");
    assert.equal(deleted.exitCode, 0, deleted.stderr);
    assert.deepEqual(readdirSync(path.join(mount, "state/sets")), []);
    const audit = readFileSync(path.join(mount, "state/audit.jsonl"), "utf8");
    assert.equal(audit.match(/"action":"delete"/g)?.length, 2);
  });
}
