/** `doctor` beside mounts that cannot be looked at: hidden ones, odd names, and a daemon that never answers. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { DoctorCheck } from "#core/base/schema/types.js";
import { needsRoot } from "../support/process/as-user.js";
import { holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { loopFs, makeFs, mount, mountImage } from "../support/storage/loop-device.js";
import { tempDir } from "../support/storage/temp.js";

/** A mount that names a block device, as those of NTFS do, and whose daemon reads nothing. */
async function silentMount(t: TestContext, point: string): Promise<void> {
  mkdirSync(point);
  const options = "fd=3,rootmode=40000,user_id=0,group_id=0";
  const script = `exec 3<>/dev/fuse; mount -i -t fuse -o ${options} /dev/holdstill-none "$1"; echo ready; exec cat`;
  const child = spawn("sh", ["-euc", script, "sh", point], { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  onEnd(t, async () => {
    child.stdin.end();
    await closed;
    spawnSync("umount", ["--lazy", point]);
  });
  await once(child.stdout, "data");
}

test(
  "mounts that cannot be looked at do not end doctor, and the others are reported",
  { skip: needsRoot },
  async (t) => {
    const fs = loopFs(t, "ext4");
    if (fs === null) return;
    const dir = tempDir(t);
    const [one, two] = [path.join(dir, "one.img"), path.join(dir, "two.img")];
    for (const image of [one, two]) makeFs("ext4", image, 16 * 1024 * 1024);
    const above = path.join(dir, "above");
    mountImage(t, one, path.join(above, "hidden"));
    mount(t, ["-t", "tmpfs", "tmpfs"], above);
    const sh = (script: string): void =>
      void execFileSync("sh", ["-euc", `at="$1/odd$(printf '\\377')"; ${script}`, "sh", dir, two]);
    sh('mkdir "$at"; mount -o loop "$2" "$at"');
    onEnd(t, () => sh('umount "$at"'));
    await silentMount(t, path.join(dir, "silent"));

    const ran = await holdstill(["doctor", "--json"], { env: { HOLDSTILL_STATE_DIR: tempDir(t) } });
    const { checks } = ran.json() as { checks: DoctorCheck[] };
    assert.deepEqual(
      checks.filter(({ about, state }) => about === "plugins" && state === "bad"),
      [],
    );
    const volumes = checks.filter(({ about }) => about === "volumes").map(({ found }) => found);
    assert.ok(
      volumes.some((found) => found.startsWith(`${fs} (ext4`)),
      volumes.join("\n"),
    );
  },
);
