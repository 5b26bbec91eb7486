/** While a transaction waits for its volumes the world goes on: it takes what is there when its turn has come, or is refused. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { makeStateDir, stateDir } from "#core/store/state-directory.js";
import { canMount } from "#core/os/exec/mount-tree.js";
import type { Event, SnapshotSet } from "#core/base/schema/types.js";
import { lockVolumes, type TakenVolumes } from "#core/store/volume-lock.js";
import { mount } from "../support/storage/loop-device.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";

const skip = canMount() ? false : "file systems of its own need mounts";

const fileSystem = (t: TestContext, at: string): string => mount(t, ["-t", "tmpfs", "-o", "size=1m", "tmpfs"], at);
/** Of what is mounted there last. */
function idOf(point: string): string {
  const ids = execFileSync("findmnt", ["-nro", "MAJ:MIN", point], { encoding: "utf8" });
  return ids.trim().split("\n").at(-1) ?? "";
}

/** The test itself is another transaction that has the volume. */
async function owning(stage: Scene, volume: string, name: string): Promise<TakenVolumes> {
  const state = stateDir(path.join(stage.dir, "state"));
  makeStateDir(state);
  return lockVolumes(state, [volume], name, 0, () => undefined, new AbortController().signal);
}

/** Asks for a set; `onQueued` is called each time that it has to wait. */
async function waiting(
  stage: Scene,
  targets: readonly string[],
  onQueued: (owner: string) => void,
): Promise<{ events: Event[]; exitCode: number | null; set: SnapshotSet | null }> {
  let told = 0;
  const run = await stage.run(
    ["create", ...targets, "--json=stream"],
    { limits: patientLimits },
    {
      onStart({ stdout }) {
        let text = "";
        stdout?.on("data", (part: string) => {
          text += part;
          const owners = [...text.matchAll(/"queued".*"transaction":"([^"]+)"/g)].map(([, owner = ""]) => owner);
          for (const owner of owners.slice(told)) onQueued(owner);
          told = owners.length;
        });
      },
    },
  );
  const events = run.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
  const last = events.at(-1);
  const id = last?.type === "ended" ? last.set : undefined;
  const record = path.join(stage.dir, "state/sets", id ?? "none", "set.json");
  const set = existsSync(record) ? (JSON.parse(readFileSync(record, "utf8")) as SnapshotSet) : null;
  return { events, exitCode: run.exitCode, set };
}

const warnings = (events: readonly Event[]): string =>
  events.flatMap((event) => (event.type === "warning" ? event.message : [])).join("\n");

test("a target that was mounted anew while it waited is captured as it is then", { skip }, async (t) => {
  const stage = new Scene(t);
  const target = fileSystem(t, path.join(stage.dir, "volume"));
  const old = idOf(target);
  const owner = await owning(stage, old, "first");
  const { set, events } = await waiting(stage, [target], () => {
    fileSystem(t, target);
    writeFileSync(path.join(target, "file"), "new\n");
    owner.release();
  });
  assert.notEqual(idOf(target), old);
  assert.deepEqual(
    set?.volumes.map(({ id }) => id),
    [idOf(target)],
    "the record names what was captured",
  );
  assert.match(warnings(events), /While it waited, what is to be captured has changed/);
});

test(
  "a volume that it needs only since it waited is waited for, too, and then all are its own",
  { skip },
  async (t) => {
    const stage = new Scene(t);
    const [target, more] = ["volume", "more"].map((name) => fileSystem(t, path.join(stage.dir, name)));
    assert.ok(target !== undefined && more !== undefined);
    writeFileSync(path.join(more, "file"), "more\n");
    const first = await owning(stage, idOf(target), "first");
    const second = await owning(stage, idOf(more), "second");
    const owners: string[] = [];
    const { set, events, exitCode } = await waiting(stage, ["writer:app", target], (owner) => {
      owners.push(owner);
      if (owner === "first") {
        writeFileSync(path.join(stage.app, "owns"), `${more}\n`);
        first.release();
      } else {
        assert.deepEqual(
          stage.calls("store").filter((op) => op === "prepare"),
          [],
          "nothing is touched yet",
        );
        second.release();
      }
    });
    assert.equal(exitCode, 0, warnings(events));
    assert.deepEqual(owners, ["first", "second"]);
    assert.ok(set !== null && set.volumes.some(({ id }) => id === idOf(more)));
    assert.deepEqual(set.components.find(({ writer }) => writer === "app")?.component.paths, [
      path.join(stage.app, "data"),
      more,
    ]);
    assert.equal(events.filter(({ type }) => type === "begun").length, 1);
  },
);

test("a target that is gone when its turn comes is refused, and nothing was touched", { skip }, async (t) => {
  const stage = new Scene(t);
  const volume = fileSystem(t, path.join(stage.dir, "volume"));
  const target = path.join(volume, "folder");
  mkdirSync(target);
  const owner = await owning(stage, idOf(volume), "first");
  const { set, events, exitCode } = await waiting(stage, [target], () => {
    execFileSync("rmdir", [target]);
    owner.release();
  });
  const last = events.at(-1);
  assert.ok(last?.type === "ended" && last.error?.code === "E_TARGET_UNREADABLE", JSON.stringify(last));
  assert.deepEqual([set, exitCode, stage.calls("store").includes("prepare")], [null, 3, false]);
  assert.deepEqual(readdirSync(path.join(stage.dir, "state/transactions")), []);
  (await owning(stage, idOf(volume), "third")).release();
});

test("what has not changed while it waited is no news", { skip }, async (t) => {
  const stage = new Scene(t);
  const target = fileSystem(t, path.join(stage.dir, "volume"));
  const owner = await owning(stage, idOf(target), "first");
  const { events, exitCode } = await waiting(stage, [target], () => owner.release());
  assert.deepEqual([exitCode, warnings(events)], [0, ""]);
});
