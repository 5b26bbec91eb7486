import assert from "node:assert/strict";
import test from "node:test";
import { array, assert as holds, integer, property } from "fast-check";
import { flawOf } from "#core/engine/sets/flaw.js";
import { judgeRetention as judge, type Retention, type RetentionVerdict } from "#core/store/retention.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { emptySet } from "../../support/fixture/set-record.js";

const now = new Date("2026-06-30T12:00:00");

const judgeRetention = (sets: readonly SnapshotSet[], retention: Retention, at: Date): RetentionVerdict[] =>
  judge(sets, retention, at, flawOf);

/** Sets made at these local times. */
const at = (...times: string[]): SnapshotSet[] =>
  times.map((time, n) => ({
    ...emptySet(`20260101-000000-${String(n).padStart(6, "0")}`),
    createdAt: new Date(time).toISOString(),
  }));

const keptOf = (verdicts: readonly RetentionVerdict[]): string[][] => verdicts.map(({ kept }) => kept);

test("the newest of each period stays, and each says which rule keeps it", () => {
  const sets = at("2026-05-31T23:00", "2026-06-01T08:00", "2026-06-01T20:00", "2026-06-08T01:00", "2026-06-08T01:30");
  const rules: Retention = { last: 1, periods: { hourly: 1, daily: 2, weekly: 3, monthly: 2 } };
  assert.deepEqual(keptOf(judgeRetention(sets, rules, now)), [
    ["weekly 2026-05-25", "monthly 2026-05"],
    [],
    ["daily 2026-06-01", "weekly 2026-06-01"],
    [],
    ["last", "hourly 2026-06-08 01h", "daily 2026-06-08", "weekly 2026-06-08", "monthly 2026-06"],
  ]);
});

test("a span is measured from the newest set, not from now", () => {
  const sets = at("2026-01-01T00:00", "2026-01-02T00:00", "2026-01-03T00:00");
  assert.deepEqual(keptOf(judgeRetention(sets, { withinMs: 86_400_000 }, now)), [[], ["within"], ["within"]]);
});

test("sets of other targets are judged on their own", () => {
  const [a, b, c] = at("2026-01-01T00:00", "2026-01-01T01:00", "2026-01-01T02:00");
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const sets = [
    { ...a, targets: ["/x", "/y"] },
    { ...b, targets: ["writer:pg"] },
    { ...c, targets: ["/y", "/x"] },
  ];
  assert.deepEqual(keptOf(judgeRetention(sets, { last: 1 }, now)), [[], ["last"], ["last"]]);
});

const verdict = (sets: SnapshotSet[]): string[][] => keptOf(judgeRetention(sets, { last: 1 }, now));

test("sets of other users are judged on their own, and leased sets do not count", () => {
  const [a, b, c, d, e] = at("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05");
  assert.ok(a && b && c && d && e);
  const requester = { uid: 64_001, gid: 64_001, pid: 1 };
  const lease = { id: "x", pid: 1, since: "" };
  const hers = [b, c, d].map((set) => ({ ...set, requester }));
  assert.deepEqual(verdict([a, ...hers]), [["last"], [], [], ["last"]], "three sets of a user do not displace root's");
  assert.deepEqual(verdict([a, ...hers.map((set) => ({ ...set, lease }))]), [
    ["last"],
    ["leased"],
    ["leased"],
    ["leased"],
  ]);
  assert.deepEqual(verdict([a, b, c].map((set) => ({ ...set, ...(set === a ? {} : { lease }) }))), [
    ["last"],
    ["leased"],
    ["leased"],
  ]);
  assert.deepEqual(
    verdict([{ ...a, requester: { ...requester, uid: 0 } }, b]),
    [[], ["last"]],
    "root is one, with the service or without",
  );
});

const snapshot = { id: "s", setId: "s", volumeId: "v", createdAt: "", lost: "it overflowed" };
const by = { instance: "store", plugin: "provider-lvm", version: "1.0.0" };

const flaws: Record<string, Partial<SnapshotSet>> = {
  "a snapshot is lost": { snapshots: [{ by, snapshot }] },
  "does not open": { verified: [{ writer: "pg", at: "", result: "does-not-open", reason: "torn" }] },
  "none, asked application": { asked: "application", consistency: "none" },
};

for (const [flaw, what] of Object.entries(flaws)) {
  test(`a flawed set takes no sound one's place (${flaw})`, () => {
    const [older, sound, newest] = at("2026-06-01T08:00", "2026-06-01T09:00", "2026-06-01T10:00");
    assert.ok(older && sound && newest);
    const sets = [older, sound, { ...newest, ...what }];
    for (const [rules, rule] of [
      [{ last: 1 }, "last"],
      [{ periods: { daily: 1 } }, "daily 2026-06-01"],
    ] as const) {
      const verdicts = judgeRetention(sets, rules, now);
      assert.deepEqual(keptOf(verdicts), [[], [rule], [rule]]);
      assert.equal(verdicts[2]?.flaw, flaw);
    }
  });
}

test("what is held, exposed or leased stays whatever the rules say", () => {
  const [a, b, c, d, e] = at("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05");
  assert.ok(a && b && c && d && e);
  const exposed = [
    { by: "store", snapshot: "s", exposed: { trees: [{ original: "/a", path: "/b" }], readOnly: true } },
  ];
  const sets = [
    { ...a, retainUntil: "2026-07-01T00:00:00.000Z" },
    { ...b, retainUntil: "2026-06-01T00:00:00.000Z" },
    { ...c, exposed },
    { ...d, lease: { id: "x", pid: 1, since: "" } },
    e,
  ];
  const verdicts = keptOf(judgeRetention(sets, { last: 1 }, now));
  assert.deepEqual(verdicts, [["held until 2026-07-01T00:00:00.000Z"], [], ["exposed"], ["leased"], ["last"]]);
});

test("as many sets stay as a rule has periods, the newest among them, and more rules never keep less", () => {
  const day = integer({ min: 0, max: 170 }).map((n) => new Date(2026, 0, n, n % 24).toISOString());
  const count = integer({ min: 1, max: 9 });
  holds(
    property(array(day, { minLength: 1, maxLength: 40 }), count, count, (days, daily, weekly) => {
      days.sort();
      const sets = at(...days);
      const one = judgeRetention(sets, { periods: { daily } }, now);
      const both = judgeRetention(sets, { periods: { daily, weekly } }, now);
      const stay = one.filter(({ kept }) => kept.length > 0);
      assert.equal(stay.length, Math.min(daily, new Set(days.map((text) => new Date(text).toDateString())).size));
      assert.ok((one.at(-1)?.kept.length ?? 0) > 0);
      for (const [n, { kept }] of one.entries()) assert.ok(kept.length <= (both[n]?.kept.length ?? 0));
    }),
  );
});
