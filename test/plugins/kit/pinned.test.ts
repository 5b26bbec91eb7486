import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { readMounts } from "#kit/mounts.js";
import { assertUnpinned, pinsOf } from "#kit/pinned.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";

const skip = process.getuid?.() !== 0 && "mounting needs root";

test(
  "a process whose mount namespace still has a mount is named, with the command that unmounts it",
  { skip },
  async (t) => {
    const point = path.join(tempDir(t), "mounted");
    mkdirSync(point);
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", point]);
    const numbers = readMounts().flatMap((mount) => (mount.point === point ? mount.number : []));
    const other = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", "echo ready; exec sleep 600"]);
    onEnd(t, () => void other.kill("SIGKILL"));
    await once(other.stdout, "data");
    execFileSync("umount", [point]);
    assert.deepEqual(
      pinsOf(numbers).map(({ pid, point: at }) => [pid, at]),
      [[other.pid, point]],
    );
    assert.throws(() => assertUnpinned("vg0/snapshot", numbers), {
      code: "BUSY",
      message: new RegExp(`vg0/snapshot is still mounted in the mount namespace of \\w+ \\(process ${other.pid}\\)`),
      hint: new RegExp(`^nsenter --mount --target ${other.pid} umount ${point}`),
    });
    other.kill("SIGKILL");
    await once(other, "exit");
    assertUnpinned("vg0/snapshot", numbers);
  },
);
