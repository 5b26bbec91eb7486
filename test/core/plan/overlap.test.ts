import assert from "node:assert/strict";
import test from "node:test";
import { sortOutParts } from "#core/plan/overlap.js";

const place = (
  requested: string,
  original = requested,
  volume = "8:1",
): Parameters<typeof sortOutParts>[1][number] => ({
  requested,
  original,
  volume,
});

test("a target in another one on the same volume is a part of it, also by another name", () => {
  const places = [place("/srv/a"), place("/srv"), place("/srv/ab"), place("/link", "/srv/a/b"), place("/same", "/srv")];
  const { whole, parts } = sortOutParts(["/srv/a", "/srv", "/srv/ab", "/link", "/same"], places);
  assert.deepEqual(whole, ["/srv"]);
  assert.deepEqual(
    parts.map(({ part }) => part),
    ["/srv/a", "/srv/ab", "/link", "/same"],
  );
});

test("neighbours, and what is mounted below a target, stay targets", () => {
  const targets = ["/srv", "/srv2", "/srv/disk"];
  const { whole, parts } = sortOutParts(targets, [
    place("/srv"),
    place("/srv2"),
    place("/srv/disk", "/srv/disk", "8:2"),
  ]);
  assert.deepEqual([whole, parts], [targets, []]);
});
