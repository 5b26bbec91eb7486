/** Which memory the keeper locks. */
import assert from "node:assert/strict";
import test from "node:test";
import { fileMappings } from "#core/keeper/process/hardening.js";

test("only readable mappings of files are locked, also if a name has spaces", () => {
  const maps = [
    "5583a000-5583b000 r-xp 00001000 fe:00 42                         /usr/bin/node",
    "5583b000-5583c000 r--p 00002000 fe:00 43                         /opt/with space/lib.so",
    "7f0000000000-7f0000001000 ---p 00000000 fe:00 44                 /usr/lib/libc.so.6",
    "7f0000001000-7f0000002000 rw-p 00000000 00:00 0",
    "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                  [stack]",
  ].join("\n");
  assert.deepEqual(fileMappings(maps), [
    { address: 0x5583a000n, length: 0x1000, file: "/usr/bin/node" },
    { address: 0x5583b000n, length: 0x1000, file: "/opt/with space/lib.so" },
  ]);
});
