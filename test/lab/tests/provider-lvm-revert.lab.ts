/** Where provider-lvm's snapshots have what was captured, and the way back to that. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import provider from "@holdstill/provider-lvm";
import type { Snapshot, SnapshotSet } from "holdstill/plugin";
import { onEnd } from "../../support/process/on-end.js";
import { type Command, commandLine } from "../support/command-line.js";
import { lvmScene } from "../support/lvm-scene.js";
import { checkAll, stateOf } from "../support/lvm-state.js";
import { thorough } from "../support/thorough.js";
import { run } from "../support/volume-group.js";
import { listAll } from "../../support/fixture/list-all.js";

test("what was mounted as a part of its file system is found in the snapshot", async (t) => {
  const { sets, thin } = lvmScene(t);
  const bound = "/mnt/bound";
  mkdirSync(bound, { recursive: true });
  run("mount", ["--bind", `${thin.mount}/srv`, bound]);
  onEnd(t, () => void run("umount", [bound]));
  const { snapshots } = await sets.take([`${bound}/file`]);
  const [tree = ""] = await sets.expose(snapshots[0] as Snapshot);
  assert.equal(readFileSync(tree, "utf8"), "precious\n");
});

test("reverting brings the captured state back, but not while the volume is in use", async (t) => {
  const { sets, thick, thin, vg } = lvmScene(t);
  const { snapshots } = await sets.take([`${thick.mount}/srv`, `${thin.mount}/srv`]);
  for (const [at, volume] of [thick, thin].entries()) {
    const snapshot = snapshots[at] as Snapshot;
    writeFileSync(`${volume.mount}/srv/file`, "spoilt\n");
    await assert.rejects(provider.revert?.(snapshot, sets.ctx) ?? Promise.resolve(), { code: "BUSY" });
    run("umount", [volume.mount]);
    await provider.revert?.(snapshot, sets.ctx);
    run("mount", [`/dev/${vg.name}/${volume.name}`, volume.mount]);
    assert.equal(readFileSync(`${volume.mount}/srv/file`, "utf8"), "precious\n");
    writeFileSync(`${volume.mount}/srv/file`, "goes on\n");
  }
  assert.deepEqual(await listAll(provider, sets.ctx), []);
});

test(
  "before a revert the command line keeps what was there as a set of its own, where there is room, and refuses what is in use",
  thorough,
  async (t) => {
    const { thick, thin, vg } = lvmScene(t);
    const volumes = [thick, thin];
    const command = commandLine(t, [{ use: "provider-lvm", options: {} }]);
    const before = stateOf(vg);
    const mount = (): void => {
      for (const volume of volumes) run("mount", [`/dev/${vg.name}/${volume.name}`, volume.mount]);
    };
    const words = (word?: string): string[] =>
      volumes.map((volume) => {
        if (word !== undefined) writeFileSync(`${volume.mount}/srv/file`, word);
        return readFileSync(`${volume.mount}/srv/file`, "utf8");
      });
    const made = await command(["create", ...volumes.map((volume) => `${volume.mount}/srv`), "--name", "good"]);
    assert.equal(made.exitCode, 0, made.stderr);
    words("later");
    const busy = await command(["revert", "good", "--yes"]);
    assert.match(busy.stderr, /is in use/);
    assert.equal((await listOf(command)).length, 1, "nothing is left of a revert that was refused");
    for (const volume of volumes) run("umount", [volume.mount]);
    const reverted = await command(["revert", "good", "--yes"]);
    assert.equal(reverted.exitCode, 0, reverted.stderr);
    const [spent, safety] = await listOf(command);
    for (const { snapshot } of spent?.snapshots ?? []) assert.match(snapshot.lost ?? "", /^a revert has used it up/);
    for (const gone of ["expose", "verify", "revert"]) {
      const refused = await command([gone, "good", "--json", ...(gone === "revert" ? ["--yes"] : [])]);
      assert.deepEqual([refused.exitCode, /"code": "(\w+)"/.exec(refused.stdout)?.[1]], [3, "E_SNAPSHOT_LOST"]);
    }
    assert.equal((await command(["delete", "good", "--yes"])).exitCode, 0);
    assert.match(reverted.stderr, new RegExp(`The previous data is in set ${safety?.id}`));
    assert.match(safety?.name ?? "", /^before-revert-/);
    mount();
    assert.deepEqual(words(), ["precious\n", "precious\n"]);
    const exposed = (await command(["expose", safety?.id ?? "", "--json"])).json() as SnapshotSet;
    const trees = exposed.exposed?.flatMap((one) => one.exposed.trees) ?? [];
    assert.deepEqual(
      trees.map((tree) => readFileSync(`${tree.path}/file`, "utf8")),
      ["later", "later"],
    );
    assert.equal((await command(["unexpose", safety?.id ?? ""])).exitCode, 0);
    // LVM itself could go back to the thick one only.
    const restored = await command(["restore", safety?.id ?? "", "--yes"]);
    assert.equal(restored.exitCode, 0, restored.stderr);
    assert.deepEqual(words(), ["later", "later"]);
    assert.equal((await command(["create", `${thick.mount}/srv`, "--name", "again"])).exitCode, 0);
    words("last");
    run("umount", [thick.mount]);
    vg.lvm("lvcreate", ["-y", "-l", "100%FREE", "-n", "filler", vg.name]);
    const back = await command(["revert", "again", "--yes"]);
    assert.equal(back.exitCode, 0, back.stderr);
    assert.match(back.stderr, /A snapshot of the previous data could not be taken: .* free/);
    vg.lvm("lvremove", ["-y", `${vg.name}/filler`]);
    run("mount", [`/dev/${vg.name}/${thick.name}`, thick.mount]);
    assert.deepEqual(words(), ["later", "last"]);
    for (const { id } of await listOf(command)) assert.equal((await command(["delete", id, "--yes"])).exitCode, 0);
    assert.doesNotMatch(stateOf(vg), /holdstill/);
    assert.equal(stateOf(vg).split("\n").length, before.split("\n").length);
    checkAll(vg, volumes);
  },
);

test(
  "with revert: on-activation, a volume in use is reverted when it is next activated, and the set shows it",
  thorough,
  async (t) => {
    const { thick, thin, vg } = lvmScene(t);
    const volumes = [thick, thin];
    const command = commandLine(t, [{ use: "provider-lvm", options: { revert: "on-activation" } }]);
    const made = await command(["create", ...volumes.map((volume) => `${volume.mount}/srv`), "--name", "good"]);
    assert.equal(made.exitCode, 0, made.stderr);
    for (const { mount } of volumes) writeFileSync(`${mount}/srv/file`, "later\n");
    const reverted = await command(["revert", "good", "--yes"]);
    assert.equal(reverted.exitCode, 0, reverted.stderr);
    for (const { mount } of volumes) assert.equal(readFileSync(`${mount}/srv/file`, "utf8"), "later\n");
    const [spent] = await listOf(command);
    for (const { snapshot } of spent?.snapshots ?? [])
      assert.match(snapshot.lost ?? "", /when that is activated next$/);
    const refused = await command(["expose", "good", "--json"]);
    assert.match(refused.stdout, /"code": "E_SNAPSHOT_LOST"/);
    // A volume that other snapshots hang on is not taken down alone.
    for (const { mount } of volumes) run("umount", [mount]);
    vg.lvm("vgchange", ["-an", vg.name]);
    vg.lvm("vgchange", ["-ay", vg.name]);
    const isMerging = (): boolean =>
      vg.lvm("lvs", ["-a", "--noheadings", "-o", "lv_merging", vg.name]).includes("merging");
    let complaint = "";
    for (let tries = 240; isMerging(); tries -= 1) {
      assert.ok(tries > 0, `the merge does not end: ${complaint}`);
      await sleep(500);
      try {
        vg.lvm("lvconvert", ["--startpoll", `${vg.name}/${thick.name}`]);
      } catch (error) {
        // The merge of this volume may have ended meanwhile, and LVM not have put that down yet.
        complaint = String(error);
      }
    }
    for (const { name, mount } of volumes) run("mount", [`/dev/${vg.name}/${name}`, mount]);
    for (const { mount } of volumes) assert.equal(readFileSync(`${mount}/srv/file`, "utf8"), "precious\n");
    for (const { id } of await listOf(command)) {
      const deleted = await command(["delete", id, "--yes"]);
      assert.equal(deleted.exitCode, 0, deleted.stderr);
    }
    assert.doesNotMatch(stateOf(vg), /holdstill/);
    checkAll(vg, volumes);
  },
);

async function listOf(command: Command): Promise<SnapshotSet[]> {
  return ((await command(["list", "--json"])).json() as { sets: SnapshotSet[] }).sets;
}
