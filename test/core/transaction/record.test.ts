/** What the record says of a transaction: what was promised, less what was not kept. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Plan } from "#core/plan/plan.js";
import type {
  Component,
  Consistency,
  Cut,
  RecordedComponent,
  RecordedWriter,
  SnapshotSet,
  Span,
} from "#core/base/schema/types.js";
import { validate } from "#core/base/schema/validate.js";
import type { ParticipantAnswers } from "#core/transaction/calls.js";
import { isDegraded, recordOf } from "#core/transaction/record.js";

test("a writer that was frozen to the end keeps its promise", () => {
  const set = record("atomic", { db: "required" }, [...good("db")]);
  assert.deepEqual(writer(set, "db"), { state: "frozen", reason: undefined, frozen: { since: 10, until: 40 } });
  assert.equal(set.consistency, "application");
  assert.equal(isDegraded(set), false);
  assert.equal(set.frozenMs, 30);
});

test("a freeze that was lost degrades the writer, and its component to what the snapshot alone is worth", () => {
  const spans = [ok("freeze", "db", 10, 20), failed("thaw", "db", 30, 40), ok("abort", "db", 40, 55)];
  for (const [cut, worth] of [
    ["atomic", "crash"],
    ["per-volume", "crash"],
    ["fuzzy", "none"],
  ] as [Cut, Consistency][]) {
    const set = record(cut, { db: "required" }, spans);
    assert.deepEqual(writer(set, "db"), { state: "degraded", reason: "thaw failed", frozen: { since: 10, until: 55 } });
    assert.deepEqual(component(set, "db"), { consistency: worth, reason: "thaw failed" });
    assert.equal(set.consistency, worth);
    assert.equal(isDegraded(set), true);
  }
});

test("a best-effort writer that failed before it was frozen is left out, and lowers nobody else's component", () => {
  for (const op of ["prepare", "freeze"]) {
    const set = record("atomic", { db: "required", mail: "best-effort" }, [
      ...good("db"),
      failed(op, "mail", 5, 6),
      ok("abort", "mail", 6, 7),
    ]);
    assert.deepEqual(writer(set, "mail"), { state: "left-out", reason: `${op} failed`, frozen: undefined });
    assert.deepEqual(component(set, "db"), { consistency: "application", reason: undefined });
    assert.equal(set.consistency, "crash");
  }
});

test("the first failure of a writer is the reason, not what followed from it", () => {
  const spans = [ok("freeze", "db", 1, 2), failed("thaw", "db", 3, 4), failed("abort", "db", 5, 6)];
  assert.equal(writer(record("atomic", { db: "required" }, spans), "db").reason, "thaw failed");
});

test("a writer that nobody asked was not held", () => {
  const set = record("atomic", { db: "required" }, []);
  assert.deepEqual(writer(set, "db"), { state: "left-out", reason: "it was never frozen", frozen: undefined });
  assert.equal(set.consistency, "crash");
});

test("a writer that did not even say what it owns is in the record, left out", () => {
  const plan = planOf("atomic", {});
  const error = { code: "E_DEADLINE", message: "did not answer identify in 30.0 s" };
  const left = { who: who("mail"), policy: "best-effort", error } as const;
  const set = recordOf({ ...plan, leftOut: [left] }, answers(), [], null);
  assert.deepEqual(writer(set, "mail"), {
    state: "left-out",
    reason: "did not answer identify in 30.0 s",
    frozen: undefined,
  });
});

test("a set with nothing in it is of no consistency", () => {
  assert.equal(record("atomic", {}, []).consistency, "none");
});

test("the frozen time runs from the first freeze to the last thaw of all writers", () => {
  const set = record("atomic", { web: "required", db: "required" }, [
    ok("freeze", "web", 10, 11),
    ok("freeze", "db", 12, 20),
    ok("thaw", "db", 30, 33),
    ok("thaw", "web", 34, 90),
    ok("seal", "web", 91, 500),
  ]);
  assert.equal(set.frozenMs, 80);
});

test("the frozen time runs on to the abort of a writer whose thaw or freeze failed", () => {
  const lost = record("atomic", { db: "required" }, [
    ok("freeze", "db", 10, 20),
    failed("thaw", "db", 30, 40),
    ok("abort", "db", 40, 55),
  ]);
  assert.equal(lost.frozenMs, 45);
  const never = record("atomic", { db: "required", mail: "best-effort" }, [
    failed("freeze", "mail", 5, 30),
    ok("abort", "mail", 30, 90),
    ...good("db"),
  ]);
  assert.equal(never.frozenMs, 85);
});

test("what was left out below a target is in the record, as the mount table and the providers know it", () => {
  const given = answers();
  const facts = { notCaptured: ["/srv/mnt", "/srv/subvolume", 7] };
  const snapshot = { id: "s1", setId: id, volumeId: "8:1", createdAt: "2026-01-02T03:04:05.678Z", facts };
  given.snapshots.push({ who: { ...who("disk"), role: "provider" }, snapshot });
  const plan = { ...planOf("fuzzy", { db: "required" }), notCaptured: ["/srv/mnt"] };
  const set = recordOf(plan, given, [...good("db")], null);
  assert.deepEqual(set.notCaptured, ["/srv/mnt", "/srv/subvolume"]);
  assert.ok(validate("snapshot-set", JSON.parse(JSON.stringify(set)), "set.json").ok);
  assert.equal("notCaptured" in record("fuzzy", { db: "required" }, []), false);
});

test("the record is valid by its schema, with facts, sidecars, snapshots and the timeline in it", () => {
  const given = answers();
  given.facts.set("db", { lsn: "0/1" });
  given.sidecars.set("db", { dir: "/state/sets/x/sidecar/db", files: [] });
  const snapshot = { id: "s1", setId: id, volumeId: "8:1", createdAt: "2026-01-02T03:04:05.678Z" };
  given.snapshots.push({ who: { ...who("disk"), role: "provider" }, snapshot });
  const set = recordOf(planOf("fuzzy", { db: "required" }), given, [...good("db")], null);
  const checked = validate("snapshot-set", JSON.parse(JSON.stringify(set)), "set.json");
  assert.deepEqual(checked.ok ? [] : checked.findings, []);
  assert.deepEqual(set.writers[0]?.facts, { lsn: "0/1" });
  assert.deepEqual(set.snapshots, [{ by: { instance: "disk", plugin: "p-disk", version: "1.0.0" }, snapshot }]);
  assert.equal(set.timeline.length, 4);
});

const id = "20260102-030405-a1b2c3";
const who = (instance: string): Plan["writers"][number]["who"] => ({
  role: "writer",
  instance,
  plugin: `p-${instance}`,
  version: "1.0.0",
});
const ok = (op: string, actor: string, from: number, to: number): Span => ({
  op,
  actor,
  from,
  to,
  limitMs: 1000,
  outcome: "ok",
});
const failed = (op: string, actor: string, from: number, to: number): Span => ({
  ...ok(op, actor, from, to),
  outcome: "failed",
  reason: `${op} failed`,
});
const good = (actor: string): Span[] => [
  ok("prepare", actor, 0, 5),
  ok("freeze", actor, 10, 20),
  ok("thaw", actor, 30, 40),
  ok("seal", actor, 50, 60),
];

const answers = (): ParticipantAnswers => ({
  cutAt: new Date("2026-01-02T03:04:05.678Z"),
  facts: new Map(),
  sidecars: new Map(),
  snapshots: [],
  repairs: new Map(),
});

const owned = (name: string): Component => ({ name, kind: "database", paths: [`/srv/${name}`], tolerates: "fuzzy" });

function planOf(cut: Cut, policies: Record<string, "required" | "best-effort">): Plan {
  const names = Object.keys(policies);
  return {
    id,
    request: { targets: ["/srv"] },
    cut,
    volumes: [],
    writers: names.map((name) => ({
      who: who(name),
      policy: policies[name] ?? "required",
      components: [owned(name)],
      volumes: [],
      cut,
    })),
    providers: [],
    components: names.map((name) => ({
      writer: name,
      component: owned(name),
      volumes: [],
      cut,
      withoutWriter: cut === "fuzzy" ? "none" : "crash",
      promised: "application",
    })),
    leftOut: [],
    warnings: [],
    promised: "application",
    asked: "application",
  };
}

const record = (cut: Cut, policies: Record<string, "required" | "best-effort">, spans: Span[]): SnapshotSet =>
  recordOf(planOf(cut, policies), answers(), spans, null);

function writer(set: SnapshotSet, instance: string): Record<"state" | "reason" | "frozen", unknown> {
  const found: Partial<RecordedWriter> = set.writers.find((one) => one.by.instance === instance) ?? {};
  return { state: found.state, reason: found.reason, frozen: found.frozen };
}

function component(set: SnapshotSet, instance: string): Record<"consistency" | "reason", unknown> {
  const found: Partial<RecordedComponent> = set.components.find((one) => one.writer === instance) ?? {};
  return { consistency: found.consistency, reason: found.reason };
}
