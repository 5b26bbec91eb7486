/** What becomes of provider-dmsnap's work when its process dies in the midst of it. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-dmsnap";
import { locate } from "#core/plan/locate.js";
import { Dmsnap } from "../support/dmsnap.js";
import { mapped, MappedDisk, state } from "../support/mapped-disk.js";
import { run } from "../support/volume-group.js";

class Died extends Error {}

/** A context whose process dies when it comes to the command of that number. */
function dying(dmsnap: Dmsnap, at: number): Dmsnap["ctx"] {
  const { ctx } = dmsnap;
  let count = 0;
  return {
    ...ctx,
    exec: (command, args, options) => {
      count += 1;
      if (count >= at) throw new Died();
      return ctx.exec(command, args, options);
    },
  };
}

/** False: it died. */
async function lives(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof Died) return false;
    throw error;
  }
}

/** All that the provider could leave behind. */
function traces({ dataDir }: Dmsnap): unknown {
  const files = readdirSync(dataDir, { recursive: true, encoding: "utf8" }).filter((file) => file.includes("."));
  return [state(), run("losetup", ["--list"]), files];
}

test("died before each command of prepare, abort in a blank process leaves nothing", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4", 32);
  const dmsnap = new Dmsnap(t, { size: "4M" }).cleanUp();
  const before = traces(dmsnap);
  const { volumes } = locate([{ paths: [data.mount], exclude: [] }]);
  let at = 1;
  for (; ; at += 1) {
    const id = dmsnap.id();
    const done = await lives(provider.prepare({ id, cut: "atomic" }, volumes, dying(dmsnap, at)));
    await dmsnap.abort(id);
    assert.deepEqual(traces(dmsnap), before, `command ${at}`);
    if (done) break;
  }
  assert.ok(at > 8, `it ran ${at - 1} commands only`);
  writeFileSync(`${data.mount}/file`, "goes on");
});

test("an abort that dies again and again comes to its end, also where the kernel had cut already", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4", 32);
  const dmsnap = new Dmsnap(t, { size: "4M" }).cleanUp();
  const before = traces(dmsnap);
  const id = dmsnap.id();
  await dmsnap.hold(await dmsnap.prepare(id, [data]));
  let at = 1;
  while (!(await lives(provider.abort({ id, cut: "atomic" }, dying(dmsnap, at))))) at += 1;
  assert.ok(at > 3, `it ran ${at - 1} commands only`);
  assert.deepEqual(traces(dmsnap), before);
  await dmsnap.abort(id);
});

test("an origin that goes between prepare and hold is refused, and abort leaves nothing", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4", 32);
  const dmsnap = new Dmsnap(t, { size: "4M" }).cleanUp();
  const id = dmsnap.id();
  const section = await dmsnap.prepare(id, [data]);
  run("umount", [data.mount]);
  run("dmsetup", ["remove", "data"]);
  await assert.rejects(dmsnap.hold(section), { code: "E_HOLD_REFUSED" });
  await dmsnap.abort(id);
  assert.deepEqual([mapped(), run("losetup", ["--list"])], [["held-ubda"], ""]);
});

test("an error in the midst of the commit, or a snapshot that was not taken by it, leaves nothing, and everything goes on", async (t) => {
  const disk = new MappedDisk(t);
  const volumes = [disk.volume("one", "ext4", 32), disk.volume("two", "ext4", 32)];
  const dmsnap = new Dmsnap(t, { size: "4M" }).cleanUp();
  const before = traces(dmsnap);
  // The first snapshot is taken, and then the second one cannot be.
  const failed = dmsnap.id();
  const section = await dmsnap.prepare(failed, volumes);
  run("dmsetup", ["remove", `two-holdstill-${failed}.1`]);
  await assert.rejects(dmsnap.hold(section), { code: "E_HOLD_FAILED" });
  for (const { mount } of volumes) writeFileSync(`${mount}/file`, "goes on");
  await dmsnap.abort(failed);
  assert.deepEqual(traces(dmsnap), before);
  // The kernel resumes a device that has no table without a word.
  const empty = dmsnap.id();
  const other = await dmsnap.prepare(empty, volumes);
  run("dmsetup", ["clear", `two-holdstill-${empty}.1`]);
  await dmsnap.hold(other);
  await assert.rejects(dmsnap.seal(empty));
  await dmsnap.abort(empty);
  assert.deepEqual(traces(dmsnap), before);
});
