/** A file system that should be mounted, and is not: what is seen in its place is not the data, and no place for it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { needsRoot } from "../support/process/as-user.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { isInOwnNamespace } from "../support/process/own-namespace.js";
import { loopFs, makeFs, mountImage } from "../support/storage/loop-device.js";
import { tempDir } from "../support/storage/temp.js";

const skip = needsRoot || (isInOwnNamespace() ? false : "it needs a mount namespace, as of test/dist/run.js");

test(
  "an unmounted file system of /etc/fstab is not backed up as an empty folder, nor restored to",
  { skip },
  async (t) => {
    if (loopFs(t, "ext4") === null) return;
    const dir = tempDir(t);
    const point = path.join(dir, "a volume");
    const image = path.join(dir, "image");
    makeFs("ext4", image, 32 * 1024 * 1024);
    const { end } = mountImage(t, image, point);
    mkdirSync(path.join(point, "data"));
    writeFileSync(path.join(point, "data/file"), "precious");
    const fstab = path.join(dir, "fstab");
    writeFileSync(
      fstab,
      `# comment\nUUID=x none swap sw 0 0\n\n/dev/none ${point.replace(" ", "\\040")} ext4 defaults 0 2\n`,
    );
    execFileSync("mount", ["--bind", fstab, "/etc/fstab"]);
    onEnd(t, () => execFileSync("umount", ["/etc/fstab"]));
    const env = { HOLDSTILL_STATE_DIR: path.join(dir, "state"), HOLDSTILL_EXPOSE_DIR: path.join(dir, "exposed") };
    const run = (...args: string[]): Promise<CliRun> => holdstill(args, { env });
    const data = path.join(point, "data");
    const made = await run("create", data, "--name", "good");
    assert.equal(made.exitCode, 0, made.stderr);

    end();
    for (const command of [["plan"], ["create"], ["run", "--"]] as const) {
      const [name = "", ...rest] = command;
      const refused = await run(name, point, ...rest, ...(rest.length > 0 ? ["true"] : []));
      assert.equal(refused.exitCode, 3, refused.stdout + refused.stderr);
      assert.match(
        refused.stderr.replaceAll(/\s+/g, " "),
        /nothing is mounted at .*a volume, which is in \/etc\/fstab/,
      );
    }
    for (const how of ["--dry-run", "--yes"]) {
      const refused = await run("restore", "good", how);
      assert.equal(refused.exitCode, 3, refused.stdout + refused.stderr);
      assert.match(refused.stderr.replaceAll(/\s+/g, " "), /nothing is mounted at .*a volume/);
    }
    assert.deepEqual(readdirSync(point), []);
    const elsewhere = await run("restore", "good", "--to", path.join(dir, "to"), "--yes");
    assert.equal(elsewhere.exitCode, 0, elsewhere.stderr);

    makeFs("ext4", `${image}-2`, 32 * 1024 * 1024);
    mountImage(t, `${image}-2`, point);
    const restored = await run("restore", "good", "--yes");
    assert.equal(restored.exitCode, 0, restored.stderr);
    assert.deepEqual(readdirSync(data), ["file"]);
  },
);
