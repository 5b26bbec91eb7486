/** Two volume groups of one name, as after a clone of a disk: LVM's commands, which take the name, could mean either. */
import assert from "node:assert/strict";
import test from "node:test";
import { assertGroup } from "@holdstill/provider-lvm/dist/group.js";
import type { LogicalVolume } from "@holdstill/provider-lvm/dist/logical-volume.js";

const inGroup = (name: string, uuid: string): LogicalVolume =>
  ({
    vg: { name, uuid, isReadOnly: false, missingDisks: 0, volumes: { count: 1, limit: 0 } },
  }) as LogicalVolume;

test("a group is refused if another one has its name, and not if another volume of the group has", () => {
  const own = inGroup("data", "aaaa");
  assertGroup(own, 1, [own, inGroup("data", "aaaa"), inGroup("root", "bbbb")]);
  assert.throws(() => assertGroup(own, 1, [own, inGroup("data", "cccc")]), {
    code: "UNSUPPORTED",
    message: "Volume group data takes no snapshots: another group has the same name.",
    hint: /vgrename UUID NAME/,
  });
});
