/** Which subvolumes below a captured path belong to the snapshot. */
import assert from "node:assert/strict";
import test from "node:test";
import { selectNested } from "@holdstill/provider-btrfs/dist/nested.js";
import type { Subvolume } from "@holdstill/provider-btrfs/dist/subvolume.js";

const at = (path: string, parentUuid: string | null = null, access: Subvolume["access"] = "read-write"): Subvolume => ({
  id: 256,
  uuid: path,
  parentUuid,
  path,
  access,
});

const select = (
  all: Subvolume[],
  { root = "/@", inner = [""], exclude = [""].slice(1), nested = "capture" as const } = {},
) => selectNested(all, { root, inner, exclude, nested });

test("what is below a captured path is captured, outer subvolumes first, and nothing beside it", () => {
  const all = [at("/@/a/b/c"), at("/@/a"), at("/@home"), at("/@"), at("/other/@/x"), at("/@/a b\nc")];
  assert.deepEqual(select(all), { captured: ["a", "a b\nc", "a/b/c"], leftOut: [] });
  assert.deepEqual(select(all, { inner: ["a/b"] }), { captured: ["a/b/c"], leftOut: [] });
  assert.deepEqual(select(all, { root: "/" }).captured.includes("@home"), true);
});

test("snapshots of snapper, Timeshift, btrbk and holdstill are not content, wherever they are", () => {
  const snapshots = [
    at("/@/.snapshots"),
    at("/@/.snapshots/1/snapshot", "x", "read-only"),
    at("/@/.snapshots/2/snapshot", "x"),
    at("/@/timeshift-btrfs/snapshots/2026-01-01/@", "x"),
    at("/@/backups/home.20260101", "x", "read-only"),
    at("/@/.holdstill-btrfs/20260101-000000-abcdef.0/0", "x", "read-only"),
  ];
  const { captured, leftOut } = select([...snapshots, at("/@/srv")]);
  assert.deepEqual(captured, ["srv"]);
  assert.ok(leftOut.includes(".snapshots") && leftOut.includes("backups/home.20260101"), leftOut.join(", "));
  assert.ok(!leftOut.includes(".snapshots/1/snapshot"), "what is within another one is not named");
});

test("a root that is itself a snapshot of snapper is captured as any other, and so is what it contains", () => {
  const root = "/@/.snapshots/1/snapshot";
  assert.deepEqual(select([at(root, "x"), at(`${root}/srv`)], { root }), { captured: ["srv"], leftOut: [] });
});

test("a writable snapshot is content, such as a layer of a container, and a received one that has no parent here", () => {
  const all = [at("/@/var/lib/docker/btrfs/subvolumes/1f", "x"), at("/@/received", null, "read-only")];
  assert.deepEqual(select(all).leftOut, []);
});

test("what is excluded, or what the option leaves out, is named", () => {
  const all = [at("/@/cache"), at("/@/srv/www"), at("/@/srv/www/x")];
  assert.deepEqual(select(all, { exclude: ["cache"] }).leftOut, ["cache"]);
  assert.deepEqual(select(all, { exclude: ["srv/*"] }).leftOut, ["srv/www"]);
  const { captured, leftOut } = selectNested(all, { root: "/@", inner: [""], exclude: [], nested: "leave-out" });
  assert.deepEqual([captured, leftOut], [[], ["cache", "srv/www"]]);
});
