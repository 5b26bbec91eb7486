/** What btrfs(8) prints is read in a way that the name of a subvolume, which any user may choose, cannot change. */
import assert from "node:assert/strict";
import test from "node:test";
import { readList, readShown } from "@holdstill/provider-btrfs/dist/subvolume.js";

const uuid = "00000000-1111-2222-3333-444444444444";
const victim = "99999999-8888-7777-6666-555555555555";

const shown = (name: string): string =>
  `srv/${name}\n\tName: \t\t\t${name}\n\tUUID: \t\t\t${uuid}\n\tParent UUID: \t\t-\n\tReceived UUID: \t\t-\n` +
  `\tCreation time: \t\t2026-01-01 00:00:00 +0000\n\tSubvolume ID: \t\t257\n\tGeneration: \t\t8\n\tFlags: \t\t\treadonly\n\tSnapshot(s):\n`;

test("a subvolume is read as btrfs shows it", () => {
  const read = readShown(shown("data"), "/srv/data");
  assert.deepEqual(read, { id: 257, uuid, parentUuid: null, path: "/srv/data", access: "read-only" });
});

test("a name with the lines of another subvolume does not give its UUID", () => {
  for (const name of [
    `x\n\tUUID: \t\t\t${victim}\n\tParent UUID: \t\t${victim}\n\tSubvolume ID: \t\t5`,
    `x\n\tName: \t\t\tx\n\tUUID: \t\t\t${victim}`,
  ])
    assert.deepEqual(
      { ...readShown(shown(name), `/srv/${name}`), path: "" },
      { ...readShown(shown("a"), "/a"), path: "" },
    );
});

test("a list has the path of each subvolume, with spaces, and its parent", () => {
  const text = `ID 256 gen 8 top level 5 parent_uuid -                                    uuid ${uuid} path a b\nID 257 gen 8 top level 256 parent_uuid ${victim} uuid ${uuid} path a b/c\n`;
  assert.deepEqual(
    readList(text).map(({ id, path, parentUuid }) => [id, path, parentUuid]),
    [
      [256, "/a b", null],
      [257, "/a b/c", victim],
    ],
  );
});
