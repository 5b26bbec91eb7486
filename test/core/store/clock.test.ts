/** A clock that is set while sets are taken: the sets keep their order, and nothing is deleted by a wrong time. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { TimeReading } from "#core/base/schema/types.js";
import { Catalog } from "#core/store/catalog.js";
import { Clock, doubtOf, readTime } from "#core/store/clock.js";
import { judgeRetention } from "#core/store/retention.js";
import type { StateDir } from "#core/store/state-directory.js";
import { WriteGate } from "#core/store/write-gate.js";
import { emptySet } from "../../support/fixture/set-record.js";
import { tempState } from "../../support/fixture/state-directory.js";

const hour = 3_600_000;
const day = 24 * hour;
const at = (text: string): number => Date.parse(text);

/** A catalog whose clock shows what the test sets. */
function clocked(t: TestContext): { catalog: Catalog; state: StateDir; now: TimeReading } {
  const state = tempState(t);
  const now = { at: at("2026-06-01T00:00Z"), boot: "first", upMs: 0 };
  const catalog = new Catalog(state, new WriteGate(), new Clock(state, () => ({ ...now })));
  return { catalog, state, now };
}

/** A set that is cut now; its id shows the time, as in the product. */
async function take({ catalog, now }: ReturnType<typeof clocked>, name: string): Promise<string> {
  const createdAt = new Date(now.at).toISOString();
  const id = `${createdAt.replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15)}-abcdef`;
  await catalog.add({ ...emptySet(id, name), createdAt });
  return id;
}

function pass(now: TimeReading, ms: number): void {
  now.at += ms;
  now.upMs += ms;
}

test("one set that was taken while the clock said 2037 is not the latest, and no set is deleted by its time", async (t) => {
  const scene = clocked(t);
  const { catalog, now } = scene;
  await take(scene, "a");
  pass(now, day);
  const real = now.at;
  now.at = at("2037-01-01T00:00Z");
  const wrong = await take(scene, "a");
  now.at = real;
  pass(now, day);
  const newest = await take(scene, "a");

  assert.equal(catalog.find("latest").id, newest);
  assert.equal(catalog.find("a").id, newest);
  assert.deepEqual(
    catalog.list().sets.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
  const { sets } = catalog.list();
  for (const rules of [{ withinMs: 7 * day }, { periods: { daily: 2 } }])
    assert.throws(
      () => judgeRetention(sets, rules, catalog.clock.believed()),
      (error: unknown) => {
        const { code, details } = error as { code: string; details: { sets: { id: string }[] } };
        return code === "E_CLOCK" && details.sets.length === 1 && details.sets[0]?.id === wrong;
      },
    );
  const byCount = judgeRetention(sets, { last: 1 }, catalog.clock.believed());
  assert.deepEqual(
    byCount.filter(({ kept }) => kept.length > 0).map(({ set }) => set.id),
    [newest],
  );
  await catalog.remove(wrong);
  judgeRetention(catalog.list().sets, { withinMs: 7 * day }, catalog.clock.believed());
});

test("while the clock is far ahead, each set says so, and the retention of others does not end", async (t) => {
  const scene = clocked(t);
  const { catalog, now } = scene;
  await take(scene, "a");
  now.at = at("2031-01-01T00:00Z");
  await take(scene, "b");
  pass(now, day);
  await take(scene, "c");
  assert.deepEqual(
    catalog.list().sets.map(({ clockDoubt }) => clockDoubt?.type),
    [undefined, "forward", "forward"],
    "a wrong time does not become the known one by the next set",
  );
  assert.ok(catalog.clock.believed().getTime() < at("2026-06-03T00:00Z"));
  assert.throws(() => judgeRetention(catalog.list().sets, { withinMs: day }, catalog.clock.believed()), {
    code: "E_CLOCK",
  });
  now.boot = "second";
  now.upMs = 0;
  assert.ok(catalog.clock.believed().getTime() < at("2026-06-03T00:00Z"), "nor by a new boot");
  await catalog.acceptClock();
  assert.equal(catalog.clock.believed().getTime(), now.at, "until the operator accepts the time");
});

test("a clock that went back is noticed by the set, and by the order of sets that say nothing", async (t) => {
  const scene = clocked(t);
  const { catalog, now } = scene;
  await take(scene, "a");
  now.at -= 30 * day;
  await take(scene, "a");
  assert.equal(catalog.list().sets.at(-1)?.clockDoubt?.type, "back");
  const sets = ["2026-01-01", "2026-01-02", "1970-01-01", "2026-01-03"].map((date, n) => ({
    ...emptySet(`20260101-000000-00000${n}`),
    createdAt: new Date(date).toISOString(),
    sequence: n + 1,
  }));
  assert.throws(() => judgeRetention(sets, { withinMs: day }, new Date("2026-02-01")), {
    code: "E_CLOCK",
    message: /out of order.*of set 20260101-000000-000002/,
  });
});

test("what a machine does every day is not a doubt", () => {
  const known = { at: at("2026-06-01T00:00Z"), boot: "a", upMs: hour };
  const seen = (ms: number, boot: string, upMs: number): string | undefined =>
    doubtOf(known, { at: known.at + ms, boot, upMs })?.type;
  assert.equal(seen(day, "a", hour + day), undefined, "a day");
  assert.equal(seen(-1000, "a", hour), undefined, "a correction by a second");
  assert.equal(seen(200 * day, "b", 0), undefined, "off for half a year");
  assert.equal(seen(2 * hour, "a", hour), "forward");
  assert.equal(seen(-2 * hour, "a", hour), "back");
  assert.equal(seen(0, "a", hour + day), "back", "it stood still");
  assert.equal(seen(-2 * day, "b", 0), "back");
  assert.equal(seen(400 * day, "b", 0), "forward");
  assert.equal(doubtOf(readTime(), readTime()), null);
});

test("the numbers go on if the file of the clock is lost, or damaged", async (t) => {
  const scene = clocked(t);
  await take(scene, "a");
  pass(scene.now, day);
  await take(scene, "a");
  rmSync(path.join(scene.state.root, "clock.json"));
  pass(scene.now, day);
  const id = await take(scene, "a");
  assert.equal(scene.catalog.find(id).sequence, 3);
});
