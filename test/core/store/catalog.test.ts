/** Snapshot sets on disk. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { Catalog } from "#core/store/catalog.js";
import type { StateDir } from "#core/store/state-directory.js";
import { readJournals } from "#core/store/journal-account.js";
import { runScript } from "../../support/process/run-script.js";
import { damage, emptySet } from "../../support/fixture/set-record.js";
import { tempState } from "../../support/fixture/state-directory.js";

const old = "20250601-120000-0a0a0a";
const morning = "20260102-080000-1b1b1b";
const evening = "20260102-200000-2c2c2c";

test("a set is found by its id, a unique beginning of it, its name, or as the latest", async (t) => {
  const { catalog } = await filled(t);
  const found = [old, "20250601", "20260102-08", "nightly", "latest"].map((key) => catalog.find(key).id);
  assert.deepEqual(found, [old, old, morning, old, evening]);
});

test("sets are listed oldest first, whatever the order in which they were written", async (t) => {
  const { sets, damaged } = (await filled(t)).catalog.list();
  assert.deepEqual(
    sets.map(({ id }) => id),
    [old, morning, evening],
  );
  assert.deepEqual(damaged, []);
});

test("a beginning that several sets have is refused, with all of them; of a name the newest is meant", async (t) => {
  const { catalog } = await filled(t);
  await catalog.write(emptySet("20260303-000000-3d3d3d", "nightly"));
  assert.throws(() => catalog.find("20260102"), {
    code: "E_SET_AMBIGUOUS",
    details: { set: "20260102", matches: [morning, evening] },
  });
  assert.equal(catalog.find("nightly").id, "20260303-000000-3d3d3d");
});

/** The error of a key that would be the set of another user. */
const refused = (key: string, id: string, owner: number): object => ({
  code: "E_SET_FOREIGN",
  details: { set: key, id, owner },
});

test("a name, latest, and a beginning find only own sets; only a whole id finds the set of another user", async (t) => {
  const { catalog } = await filled(t);
  const mallory = { uid: 64_001, gid: 64_001, pid: 1 };
  const hers = "20260303-000000-3d3d3d";
  await catalog.add({ ...emptySet(hers, "nightly"), requester: mallory });
  assert.equal(catalog.find("nightly").id, old, "root restores its own");
  assert.equal(catalog.find("latest").id, evening);
  assert.equal(catalog.find("nightly", mallory).id, hers);
  assert.equal(catalog.find("latest", mallory).id, hers);
  assert.equal(catalog.find(hers).id, hers);
  assert.throws(() => catalog.find("20260303"), refused("20260303", hers, mallory.uid));
  const self = process.getuid?.() ?? 0;
  assert.throws(() => catalog.find("20250601", mallory), refused("20250601", old, self));
  const eve = { ...mallory, uid: 64_002 };
  assert.throws(() => catalog.find("latest", eve), { code: "E_SET_FOREIGN" });
  await catalog.add({ ...emptySet("20260304-000000-3d3d3d", "hers"), requester: mallory });
  assert.throws(() => catalog.find("hers"), { code: "E_SET_FOREIGN", message: /which user 64001 took/ });
  assert.equal(catalog.find("nightly", { ...mallory, uid: 0 }).id, old, "root by way of the service is the same");
});

test("latest never passes over a newest record that is damaged, nor over one that names another set", async (t) => {
  const { catalog, state } = await filled(t);
  const newest = "20991231-000000-ffffff";
  await catalog.write(emptySet(newest));
  const file = path.join(state.sets, newest, "set.json");
  writeFileSync(file, readFileSync(file, "utf8").replace(newest, old));
  assert.throws(() => catalog.find("latest"), { code: "E_RECORD_DAMAGED" });
  assert.ok(!catalog.list().sets.some((set) => set.id === newest));
});

test("a record that could not be read again is not written", async (t) => {
  const { catalog } = await filled(t);
  const set = { ...emptySet("20260303-000000-3d3d3d"), name: "x".repeat(200) };
  await assert.rejects(catalog.write(set), /would be damaged/);
  assert.equal(catalog.has(set.id), false);
});

test("an unknown set is refused with the nearest id or name", async (t) => {
  const { catalog } = await filled(t);
  assert.throws(() => catalog.find("nighlty"), {
    code: "E_SET_UNKNOWN",
    details: { set: "nighlty", nearest: "nightly" },
  });
  assert.throws(() => catalog.find("20250601-120000-0a0a0b"), {
    details: { set: "20250601-120000-0a0a0b", nearest: old },
  });
  assert.equal(catalog.find("2025").id, old);
  assert.throws(() => catalog.find("202"), { code: "E_SET_UNKNOWN", details: { set: "202" } });
});

test("in an empty catalog, and before there is one, nothing is latest", (t) => {
  const state = tempState(t);
  assert.throws(() => new Catalog(state).find("latest"), { code: "E_SET_UNKNOWN" });
  rmSync(state.sets, { recursive: true });
  assert.deepEqual(new Catalog(state).list(), { sets: [], damaged: [] });
});

test("a damaged record is reported, hides no other, and is left as it is", async (t) => {
  const { catalog, state } = await filled(t);
  const texts = {
    torn: '{"recordVersion": 1, "id',
    empty: "",
    strange: JSON.stringify({ ...emptySet(old), cut: "nice" }),
  };
  const files = Object.entries(texts).map(([id, text]) => damage(state, `20260505-000000-${id}`, text));
  const { sets, damaged } = catalog.list();
  assert.equal(sets.length, 3);
  assert.deepEqual(
    damaged.map(({ file }) => file),
    files.toSorted(),
  );
  assert.equal(damaged.find(({ file }) => file.includes("strange"))?.findings[0]?.pointer, "/cut");
  assert.throws(() => catalog.find("20260505-000000-torn"), { code: "E_RECORD_DAMAGED" });
  assert.equal(catalog.has("20260505-000000-torn"), true);
  assert.deepEqual(
    files.map((file) => readFileSync(file, "utf8")),
    Object.values(texts),
  );
});

test("a record of a later version is told apart from a damaged one, and may have properties that are not known", async (t) => {
  const { catalog, state } = await filled(t);
  const id = "20260505-000000-4e4e4e";
  const put = (record: object): string => damage(state, id, JSON.stringify(record));
  put({ ...emptySet(id), tomorrow: { a: 1 } });
  assert.deepEqual(catalog.find(id), emptySet(id));
  const file = put({ ...emptySet(id), recordVersion: 2, cut: "nice" });
  assert.throws(() => catalog.find(id), { code: "E_TOO_NEW", message: `A later version of holdstill wrote ${file}.` });
  assert.deepEqual(
    catalog.list().damaged.map(({ state: how }) => how),
    ["newer"],
  );
});

test("a folder without a record is no set: its transaction is under way, or recovery's business", async (t) => {
  const { catalog, state } = await filled(t);
  mkdirSync(catalog.sidecarDir("20260606-000000-4e4e4e", "db"), { recursive: true });
  symlinkSync(path.join(state.sets, old), path.join(state.sets, "20260606-000000-5f5f5f"));
  assert.equal(catalog.list().sets.length, 3);
  assert.equal(catalog.has("20260606-000000-4e4e4e"), false);
});

test("sets that are removed while the catalog is read never hide the others", async (t) => {
  const { catalog, state } = await filled(t);
  const source = `
    import { stateDir } from "#core/store/state-directory.js";
    import { Catalog } from "#core/store/catalog.js";
    import { mkdirSync } from "node:fs";
    const catalog = new Catalog(stateDir(process.env.STATE));
    for (let n = 0; n < 1000; n += 1) {
      const id = "20260707-000000-" + (n % 50);
      if (n % 100 < 50) mkdirSync(catalog.sidecarDir(id, "db"), { recursive: true });
      else await catalog.remove(id);
    }`;
  const other = runScript(source, { STATE: state.root });
  let ended: Awaited<typeof other> | null = null;
  while (ended === null) {
    assert.ok(catalog.has(old), "a set that nobody removes is not seen");
    ended = await Promise.race([other, new Promise<null>((resolve) => setImmediate(resolve, null))]);
  }
  assert.equal(ended.exitCode, 0, ended.stderr);
});

test("sets and journals that are removed while they are read are gone, not damaged", async (t) => {
  const { catalog, state } = await filled(t);
  const ids = Array.from({ length: 400 }, (_, n) => `20260808-000000-${String(n).padStart(6, "0")}`);
  for (const id of ids) {
    mkdirSync(catalog.folder(id));
    writeFileSync(path.join(catalog.folder(id), "set.json"), JSON.stringify(emptySet(id)));
    writeFileSync(path.join(state.transactions, `${id}.jsonl`), "");
  }
  const source = `
    import { stateDir } from "#core/store/state-directory.js";
    import { Catalog } from "#core/store/catalog.js";
    import { Journal } from "#core/store/journal.js";
    const state = stateDir(process.env.STATE);
    const catalog = new Catalog(state);
    for (const id of ${JSON.stringify(ids)}) {
      await catalog.remove(id);
      Journal.forget(state, id);
    }`;
  const other = runScript(source, { STATE: state.root });
  let ended: Awaited<typeof other> | null = null;
  while (ended === null) {
    assert.deepEqual(catalog.list().damaged, []);
    readJournals(state, (id) => catalog.has(id));
    ended = await Promise.race([other, new Promise<null>((resolve) => setImmediate(resolve, null))]);
  }
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.equal(catalog.list().sets.length, 3);
});

test("writing a set anew replaces its record; removing it takes the sidecars along, and may come twice", async (t) => {
  const { catalog, state } = await filled(t);
  mkdirSync(catalog.sidecarDir(old, "db"), { recursive: true });
  await catalog.write({ ...emptySet(old), tags: { changed: "yes" } });
  assert.deepEqual(catalog.find(old).tags, { changed: "yes" });
  assert.deepEqual(readdirSync(path.join(state.sets, old)), ["set.json", "sidecar"]);
  await catalog.remove(old);
  await catalog.remove(old);
  assert.equal(existsSync(path.join(state.sets, old)), false);
});

test("a record that the disk has no room for leaves the one before it", async (t) => {
  const { catalog, state } = await filled(t);
  const source = `
    import assert from "node:assert/strict";
    import { stateDir } from "#core/store/state-directory.js";
    import { Catalog } from "#core/store/catalog.js";
    const catalog = new Catalog(stateDir(process.env.STATE));
    const set = catalog.find("nightly");
    await assert.rejects(catalog.write({ ...set, tags: { long: "x".repeat(10_000) } }), { code: "E_STATE_DIR" });`;
  // The largest file that this shell and its children may write: 8 blocks of 512 bytes.
  const { stderr, exitCode } = await runScript(source, { STATE: state.root }, "ulimit -f 8");
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(catalog.find("nightly").tags, {});
});

async function filled(t: TestContext): Promise<{ catalog: Catalog; state: StateDir }> {
  const state = tempState(t);
  const catalog = new Catalog(state);
  for (const set of [emptySet(evening), emptySet(old, "nightly"), emptySet(morning)]) await catalog.write(set);
  return { catalog, state };
}
