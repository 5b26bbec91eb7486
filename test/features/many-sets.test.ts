/** A thousand sets, with what crashes, full disks and strangers may have left among them. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { makeStateDir, stateDir } from "#core/store/state-directory.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { program } from "../support/process/command-line.js";
import { damage } from "../support/fixture/set-record.js";
import { sampleSet } from "../support/fixture/sample-set.js";
import { Scene } from "../support/fixture/scene.js";

const whole = 1000;

/** Records that are none, by what was done to them. */
const spoilt: Readonly<Record<string, (file: string, record: SnapshotSet) => void>> = {
  "cut short": (file, record) => writeFileSync(file, JSON.stringify(record).slice(0, 700)),
  empty: (file) => writeFileSync(file, ""),
  "full of zeros": (file) => writeFileSync(file, Buffer.alloc(4096)),
  "of another program": (file) => writeFileSync(file, '{"volumes":[{"name":"data"}]}'),
  "of a later version": (file, record) => writeFileSync(file, JSON.stringify({ ...record, recordVersion: 2 })),
  "of another set": (file, record) => writeFileSync(file, JSON.stringify(record)),
  "a folder": (file) => mkdirSync(file),
  "a pipe": (file) => void execFileSync("mkfifo", [file]),
  "a device": (file) => symlinkSync("/dev/zero", file),
};
const copies = 10;

/** What is no set, and is not told of: a transaction under way has such folders. */
const foreign = ["sets/lost+found", "sets/half-written", "sets/.git"];

function catalogOfMany(t: TestContext): { stage: Scene; sets: string; damaged: string[] } {
  const stage = new Scene(t);
  const state = stateDir(path.join(stage.dir, "state"));
  makeStateDir(state);
  const record: SnapshotSet = { ...sampleSet(), snapshots: [], exposed: [], retainUntil: "2026-01-02T00:00:00.000Z" };
  delete record.lease;
  for (let n = 0; n < whole; n += 1) {
    const id = `20260102-${String(n).padStart(6, "0")}-0123ab`;
    const createdAt = new Date(Date.UTC(2026, 0, 2) + n * 1000).toISOString();
    damage(state, id, JSON.stringify({ ...record, id, createdAt }, null, 2));
  }
  const damaged = Object.values(spoilt).flatMap((spoil, kind) =>
    Array.from({ length: copies }, (_, n) => {
      const file = path.join(state.sets, `20260102-${String(n * 97).padStart(6, "0")}-ffff0${kind}`, "set.json");
      mkdirSync(path.dirname(file));
      spoil(file, record);
      return file;
    }),
  );
  for (const dir of foreign) mkdirSync(path.join(stage.dir, "state", dir), { recursive: true });
  writeFileSync(path.join(state.sets, "half-written/set.json.draft"), "{");
  writeFileSync(path.join(state.sets, "notes.txt"), "of the administrator");
  return { stage, sets: state.sets, damaged };
}

/** All that is there, with what it contains. */
const contents = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .toSorted()
    .map((name) => {
      const place = path.join(dir, name);
      return `${name}: ${lstatSync(place).isFile() ? readFileSync(place, "latin1") : lstatSync(place).mode}`;
    });

test("among a thousand sets what is damaged, foreign or half-written is told of, passed over, and left as it is", async (t) => {
  const { stage, sets, damaged } = catalogOfMany(t);
  const before = contents(sets);
  const list = await stage.run(["list", "--json"]);
  const listed = list.json() as { sets: SnapshotSet[]; damaged: { file: string }[] };
  assert.deepEqual([list.exitCode, listed.sets.length], [0, whole]);
  assert.deepEqual(new Set(listed.damaged.map(({ file }) => file)), new Set(damaged));
  const dry = await stage.run(["prune", "--keep-last", "990", "--dry-run", "--json"]);
  const { verdicts, damaged: unread } = dry.json() as { verdicts: { kept: string[] }[]; damaged: unknown[] };
  assert.equal(verdicts.filter(({ kept }) => kept.length === 0).length, 10);
  assert.deepEqual(unread, listed.damaged);
  for (const args of [["list"], ["prune", "--keep-last", "990", "--dry-run"]]) {
    const said = await stage.run(args);
    assert.equal(said.exitCode, 0);
    for (const file of damaged) assert.ok(said.stderr.includes(`damaged record: ${file}\n`), file);
  }
  assert.deepEqual(contents(sets), before);

  const pruned = await stage.run(["prune", "--keep-last", "990", "--yes", "--json"]);
  assert.equal(pruned.exitCode, 0, pruned.stderr);
  const { deleted } = pruned.json() as { deleted: string[] };
  assert.equal(deleted.length, 10);
  const ofDeleted = (line: string): boolean => deleted.some((id) => line.startsWith(id));
  assert.deepEqual(
    contents(sets),
    before.filter((line) => !ofDeleted(line)),
  );
});

test("list and prune of a thousand sets take little more of the processor than Node does to start", (t) => {
  const { stage } = catalogOfMany(t);
  const config = ["--config", stage.configFile()];
  const node = least(["-e", "0"]);
  // prune asks the providers as well.
  const asking = least([program, "providers", ...config]) - node;
  for (const [args, more] of [
    [["list"], 0],
    [["list", "--json"], 0],
    [["prune", "--keep-last", "7", "--dry-run"], asking],
  ] as const) {
    const took = least([program, ...args, ...config]) - node - more;
    t.diagnostic(`${args.join(" ")}: ${Math.round(took)} ms beyond Node's ${Math.round(node)} ms`);
    // It is about three times as much; a busy machine takes more of its processor for both.
    assert.ok(took < 6 * node, `${args.join(" ")} took ${took} ms, and Node ${node} ms`);
  }
});

const least = (args: readonly string[]): number => Math.min(...Array.from({ length: 7 }, () => processorMs(args)));

/** What a run of Node takes of the processor, by its shell's account. */
function processorMs(args: readonly string[]): number {
  const { stdout } = spawnSync("bash", ["-c", '"$@" > /dev/null 2>&1; times', "bash", process.execPath, ...args], {
    encoding: "utf8",
  });
  const [, children = ""] = stdout.trim().split("\n");
  const spans = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  return spans.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000, 0);
}
