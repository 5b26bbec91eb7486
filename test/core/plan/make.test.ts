/** What a plan makes of targets, components and what providers can do. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { negotiate } from "#core/plan/negotiate.js";
import type { PlannedVolume } from "#core/plan/plan.js";
import { ownerless, pathsOf, selectComponents, type SelectedComponent } from "#core/plan/select.js";
import { parseTarget } from "#core/plan/targets.js";
import { type PresentWriter, sortOut } from "#core/plan/writers.js";
import { HoldstillError } from "#core/base/errors/error.js";
import type { Component, Cut } from "#core/base/schema/types.js";
import { plannedVolume } from "../../support/fixture/planned-volume.js";
import { tempDir } from "../../support/storage/temp.js";

/** Two volumes that a component lies on, captured in each way. */
const captured: Record<Cut, PlannedVolume[]> = {
  atomic: [plannedVolume("8:1", "lvm", true, "vg"), plannedVolume("8:2", "lvm", true, "vg")],
  "per-volume": [plannedVolume("8:1", "lvm", true, "vg"), plannedVolume("8:2", "lvm", true, "other")],
  fuzzy: [plannedVolume("8:1", "lvm", true), plannedVolume("8:2", "reflink", false)],
};
const places = [
  { requested: "/db", volume: "8:1", original: "/db" },
  { requested: "/db", volume: "8:2", original: "/db" },
];

test("a component that tolerates a fuzzy snapshot is promised whatever the cut", () => {
  for (const cut of ["atomic", "per-volume", "fuzzy"] as const) {
    const all = { taken: [taken("db", "fuzzy", "required")], ownerless: [] };
    const [planned] = negotiate(all, captured[cut], places);
    assert.deepEqual([planned?.cut, planned?.promised, planned?.reason], [cut, "application", undefined]);
  }
});

test("a component that its writer covers in part is promised what its volumes have, with the writer's reason", () => {
  const one = taken("db", "point-in-time", "required");
  const notCovered = "shop.remote is a table of SPIDER";
  const all = { taken: [{ ...one, component: { ...one.component, notCovered } }], ownerless: [] };
  const [planned] = negotiate(all, captured.atomic, places);
  assert.deepEqual([planned?.promised, planned?.reason], ["crash", notCovered]);
});

test("a required writer that needs one instant is refused anything else, with the name of the provider that cannot", () => {
  const all = { taken: [taken("db", "point-in-time", "required")], ownerless: [] };
  assert.equal(negotiate(all, captured.atomic, places)[0]?.promised, "application");
  const culprit = { "per-volume": "lvm", fuzzy: "reflink" } as const;
  for (const cut of ["per-volume", "fuzzy"] as const) {
    assert.throws(() => negotiate(all, captured[cut], places), {
      code: "E_PLAN_INCONSISTENT",
      details: { writer: "db", component: "main", tolerates: "point-in-time", cut, provider: culprit[cut] },
    });
  }
});

test("only the component's own volumes matter to it: another that is copied does not take its instant away", () => {
  const all = { taken: [taken("db", "point-in-time", "required")], ownerless: ["/srv"] };
  const planned = negotiate(all, captured.fuzzy, [
    { requested: "/db", volume: "8:1", original: "/db" },
    { requested: "/srv", volume: "8:2", original: "/srv" },
  ]);
  assert.deepEqual(
    planned.map(({ cut, promised }) => [cut, promised]),
    [
      ["atomic", "application"],
      ["fuzzy", "none"],
    ],
  );
});

test("a best-effort writer that needs one instant is promised what the snapshot alone is worth, and why", () => {
  const all = { taken: [taken("db", "point-in-time", "best-effort")], ownerless: [] };
  const [planned] = negotiate(all, captured.fuzzy, places);
  assert.deepEqual(
    [planned?.promised, planned?.reason],
    ["none", "it needs a point-in-time snapshot, and this one is fuzzy"],
  );
});

test("paths that no writer owns are a component of their own, on the volumes where they lie", () => {
  const planned = negotiate({ taken: [], ownerless: ["/srv"] }, captured.atomic, [
    { requested: "/home", volume: "8:1", original: "/home" },
    { requested: "/srv", volume: "8:2", original: "/srv" },
  ]);
  assert.deepEqual(
    planned.map(({ writer, component, volumes, promised }) => [writer, component.paths, volumes, promised]),
    [[null, ["/srv"], ["8:2"], "crash"]],
  );
});

test("a component takes part when all its paths are captured, and one that lies there only in part is said, with what to add", (t) => {
  const { dir, db, mail } = tree(t);
  const present = [
    presentOf("db", [component("main", [db, `${dir}/wal`])]),
    presentOf("mail", [component("boxes", [mail])]),
  ];
  const { taken: all, warnings } = selectComponents(present, [db, mail]);
  assert.deepEqual(
    all.map(({ writer }) => writer.who.instance),
    ["mail"],
  );
  assert.deepEqual(warnings, [
    `Component main of writer db is only partly among the targets, so it takes no part; add ${dir}/wal.`,
  ]);
  assert.equal(selectComponents(present, [dir]).taken.length, 2);
  assert.deepEqual(selectComponents(present, [dir]).warnings, []);
});

test("a target inside a component is a part of it, and a target beside it is not", (t) => {
  const { db, mail } = tree(t);
  const present = [presentOf("db", [component("main", [db])])];
  mkdirSync(`${db}/base`);
  assert.equal(selectComponents(present, [`${db}/base`]).warnings.length, 1);
  assert.deepEqual(selectComponents(present, [mail, `${db}-other`]), { taken: [], warnings: [] });
});

test("a component is found whatever symbolic links lead to it", (t) => {
  const { dir, db } = tree(t);
  symlinkSync(db, `${dir}/link`);
  const present = [presentOf("db", [component("main", [`${dir}/link`])])];
  const { taken: all } = selectComponents(present, [db]);
  assert.equal(all.length, 1);
  assert.equal(selectComponents([presentOf("db", [component("main", [db])])], [`${dir}/link`]).taken.length, 1);
  assert.deepEqual(ownerless([db], all), []);
  assert.deepEqual(ownerless([dir], all), [dir]);
});

test("a named writer stands for all that it owns, and each path comes once", (t) => {
  const { db, mail } = tree(t);
  const present = [presentOf("db", [component("main", [db])]), presentOf("mail", [component("boxes", [mail])])];
  const targets = ["writer:db", `${db}/`, mail].map((asked) => parseTarget(asked, ["db", "mail"], []));
  assert.deepEqual(pathsOf(targets, present), [db, mail]);
});

test("a writer that nobody knows is refused, with the nearest and all that are known", () => {
  assert.deepEqual(parseTarget("writer:pg-main", ["pg-main"], []), {
    is: "writer",
    asked: "writer:pg-main",
    instance: "pg-main",
  });
  assert.throws(() => parseTarget("writer:pg-mian", ["mail", "pg-main"], []), {
    code: "E_TARGET_UNKNOWN",
    details: { target: "pg-mian", known: ["mail", "pg-main"], nearest: "pg-main" },
  });
});

test("a path is made absolute, and need not exist to be understood", () => {
  assert.deepEqual(parseTarget("no/such/place", [], []), {
    is: "path",
    asked: "no/such/place",
    path: path.resolve("no/such/place"),
  });
});

test("a best-effort writer that does not answer is left out, and a required one's error ends the plan", () => {
  const error = new HoldstillError("E_CANCELLED", { who: presentOf("db", []).who, op: "identify" });
  const { who } = presentOf("db", []);
  const good = presentOf("mail", [component("boxes", ["/mail"])]);
  const db = parseTarget("writer:db", ["db"]);
  const { present, leftOut } = sortOut([{ who, policy: "best-effort", error }, good], [db]);
  assert.deepEqual(present, [good]);
  assert.deepEqual(
    leftOut.map((one) => [one.who.instance, one.error.code]),
    [["db", "E_CANCELLED"]],
  );
  const required = [good, { who, policy: "required", error }] as const;
  for (const target of [db, parseTarget("/srv", [])]) assert.throws(() => sortOut(required, [target]), error);
  assert.equal(sortOut(required, [parseTarget("writer:mail", ["mail"])]).leftOut[0]?.policy, "required");
});

const component = (name: string, paths: string[], tolerates: Component["tolerates"] = "fuzzy"): Component => ({
  name,
  kind: "files",
  paths,
  tolerates,
});

const presentOf = (
  instance: string,
  components: Component[],
  policy: PresentWriter["policy"] = "required",
): PresentWriter => ({
  who: { role: "writer", instance, plugin: `writer-${instance}`, version: "1.0.0" },
  policy,
  components,
});

function taken(
  instance: string,
  tolerates: Component["tolerates"],
  policy: PresentWriter["policy"],
): SelectedComponent {
  const owned = component("main", [`/${instance}`], tolerates);
  return { writer: presentOf(instance, [owned], policy), component: owned };
}

function tree(t: TestContext): { dir: string; db: string; mail: string } {
  const dir = tempDir(t);
  for (const name of ["db", "db-other", "mail", "wal"]) mkdirSync(path.join(dir, name));
  return { dir, db: path.join(dir, "db"), mail: path.join(dir, "mail") };
}
