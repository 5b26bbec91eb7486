/** Where space is counted by project ids, as the mount table has it. */
import assert from "node:assert/strict";
import test from "node:test";
import { parseMounts } from "#kit/mounts.js";
import { hasProjectQuota } from "@holdstill/provider-reflink/dist/mounts-below.js";

const line = (point: string, fsType: string, options: string): string =>
  `31 1 8:1 / ${point} rw,relatime shared:1 - ${fsType} /dev/sda1 ${options}\n`;

test("a mount counts space by project ids if its file system's options say so", () => {
  const table = parseMounts(
    line("/", "ext4", "rw") + line("/srv", "xfs", "rw,attr2,prjquota") + line("/home", "xfs", "rw,usrquota,noquota"),
  );
  const found = ["/etc", "/srv/data", "/home/a"].map((folder) => hasProjectQuota(folder, table));
  assert.deepEqual(found, [false, true, false]);
});
