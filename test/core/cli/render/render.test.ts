import assert from "node:assert/strict";
import test from "node:test";
import { faultLines } from "#core/cli/render/fault.js";
import { planLines } from "#core/cli/render/plan.js";
import { setLines } from "#core/cli/render/set.js";
import { tableLines } from "#core/cli/render/table.js";
import { age, bytes, duration, instant } from "#core/base/display/units.js";
import { StatusLine } from "#core/cli/live/status-line.js";
import { HoldstillError, toFault } from "#core/base/errors/error.js";
import type { Plan } from "#core/plan/plan.js";
import type { Event, Usual } from "#core/base/schema/types.js";
import { plainStyle } from "../../../support/fixture/terminal-style.js";
import { sampleSet } from "../../../support/fixture/sample-set.js";

const text = (lines: readonly string[]): string => `${lines.join("\n")}\n`;
const who = { role: "writer", instance: "app", plugin: "writer-app", version: "1.0.0" } as const;

test("what a set does not contain is shown with it", () => {
  const set = { ...sampleSet(), notCaptured: ["/srv/cache", "/srv/mnt"] };
  assert.match(text(setLines(set, plainStyle)), /\nNot captured\n {2}\/srv\/cache\n {2}\/srv\/mnt\n\n/);
});

test("a set is shown with all that its record says", () => {
  assert.equal(
    text(setLines(sampleSet(), plainStyle)),
    `Set 20260102-030405-a1b2c3 (nightly), 2026-01-02 03:04:05Z
Consistency application, asked application; cut atomic; frozen for 83 ms

Components
  pg-main/cluster  application
  /srv             filesystem   No writer owns it.

Snapshots
  provider-lvm  thin  4.0 KiB  vg0/data-hs1  of /var/lib/postgresql

Writers
  pg-main (writer-postgres 1.0.0), required: frozen from 12 ms to 95 ms
    lsn: 0/3000028
    files in /var/lib/holdstill/sets/x/pg-main
      backup_label  220 B  sha256 abababababababab…

Exposed
  /var/lib/postgresql  read-only  /run/holdstill/x

Volumes
  /var/lib/postgresql  ext4  /dev/mapper/vg0-data  254:0

Made by
  holdstill 0.1.0 on db1

Targets
  /srv

Tags
  kind=nightly

Backup
  the backup succeeded; copy, 2026-01-02 04:00:00Z

From freeze to thaw: 8 ms, from 12 ms to 20 ms
✗ pg-main  8 ms    ████████████████████████████████████████

Calls, 20 ms in all
  pg-main  freeze  at 12 ms  8 ms  of 20 s                        ██████████████
`,
  );
});

test("a plan says what would be done with which provider, in which order, and what is promised", () => {
  const component = { name: "cluster", kind: "database", paths: ["/pg"], tolerates: "fuzzy" } as const;
  const volume = {
    id: "254:0",
    mountPoint: "/pg",
    fsType: "ext4",
    source: "/dev/vg0/pg",
    root: "/",
    devices: [],
    paths: ["/pg"],
    exclude: [],
  };
  const plan: Plan = {
    id: "20260102-030405-a1b2c3",
    request: { targets: ["writer:back", "/srv"], require: "crash" },
    cut: "atomic",
    volumes: [
      {
        volume,
        provider: "lvm",
        qualities: { pointInTime: true, group: "vg0", method: "thin", where: "vg0/pool" },
      },
    ],
    writers: [
      {
        who: { ...who, instance: "back" },
        policy: "required",
        components: [{ ...component, paths: ["/pg"], method: { atomic: "no lock" }, repair: "fork" }],
        volumes: ["254:0"],
        cut: "atomic",
      },
      {
        who: { ...who, instance: "front" },
        policy: "best-effort",
        components: [{ ...component, paths: ["/pg"], level: "front-end" }],
        volumes: ["254:0"],
        cut: "atomic",
      },
    ],
    providers: [],
    components: [
      {
        writer: "back",
        component: { ...component, paths: ["/pg"] },
        volumes: ["254:0"],
        cut: "atomic",
        withoutWriter: "crash",
        promised: "application",
      },
      {
        writer: null,
        component: { ...component, name: "files", paths: ["/srv"] },
        volumes: [],
        cut: "atomic",
        withoutWriter: "crash",
        promised: "crash",
        reason: "no writer owns it",
      },
      {
        writer: null,
        component: { ...component, name: "files", paths: ["/home"] },
        volumes: [],
        cut: "atomic",
        withoutWriter: "crash",
        promised: "crash",
        reason: "no writer owns it",
      },
    ],
    leftOut: [{ who, policy: "best-effort", error: { code: "E_DEADLINE", message: "It did not answer." } }],
    warnings: ["The store is nearly full."],
    promised: "crash",
    asked: "crash",
  };
  const limits = {
    queue: 600_000,
    identify: 1,
    prepare: 600_000,
    freeze: 60_000,
    hold: 10_000,
    copy: 1,
    seal: 1,
    ready: 1,
    repair: 1,
    verdict: 1,
    complete: 1,
    abort: 30_000,
  };
  const usual: Usual[] = [
    { actor: "back", op: "freeze", runs: 5, failed: 0, medianMs: 40, maxMs: 45, limitMs: 20_000, stillMs: 90 },
    { actor: "front", op: "freeze", runs: 4, failed: 3, medianMs: 9, maxMs: 9, limitMs: 20_000, stillMs: null },
    { actor: "lvm", op: "commit", runs: 1, failed: 1, medianMs: null, maxMs: null, limitMs: 10_000, stillMs: null },
  ];
  assert.equal(
    text(planLines(plan, usual, limits, plainStyle)),
    `Plan for writer:back, /srv; nothing was changed
Promised consistency crash, asked crash; cut atomic

Components
  back/cluster  application
  /srv          crash        no writer owns it
  /home         crash        no writer owns it

Volumes
  /pg  ext4 on /dev/vg0/pg  lvm  thin, in vg0/pool

Writers, in the order of freezing
  front-end  front  writer-app 1.0.0  best-effort  cluster
  back-end   back   writer-app 1.0.0  required     cluster  no lock; snapshot
                                                            repaired

Left out
  app  It did not answer.

From the last runs
  back   freeze  usually 40 ms, limit 20 s, at most 45 ms, frozen for 90 ms, 5
                 runs
  front  freeze  usually 9 ms, limit 20 s, 3 of 4 runs failed
  lvm    commit  limit 10 s, 1 of 1 run failed

Limits
  queue 10 min · prepare 10 min · frozen 60 s · commit 10 s · seal 1 ms ·
  repair 1 ms · abort 30 s

Warnings
  !  The store is nearly full.
`,
  );
  const copied = plan.volumes.map((one) => ({ ...one, qualities: { ...one.qualities, space: { fork: "copies" } } }));
  assert.match(
    text(planLines({ ...plan, volumes: copied as Plan["volumes"] }, usual, limits, plainStyle)).replaceAll(/\s+/g, " "),
    /no lock; snapshot repaired, in a second copy of the data/,
  );
});

test("of many refused plugins each is shown by itself, with what was seen and its own next step", () => {
  const candidate = {
    name: "writer-a",
    version: "0.9.0",
    dir: "/p/a",
    verdict: "refused",
    reason: "below ^1",
  } as const;
  const problems = [
    new HoldstillError("E_PLUGIN_UNRESOLVED", { use: "writer-a@^1", instance: "a", candidates: [candidate] }),
    new HoldstillError("E_PLUGIN_UNTRUSTED", {
      dir: "/p/b",
      problems: [{ path: "/p/b", problem: "anybody may write to it", remedy: "chmod go-w /p/b" }],
    }),
  ];
  const fault = toFault(
    new HoldstillError("E_PLUGINS_REFUSED", { problems: problems.map((problem) => toFault(problem)) }),
  );
  assert.equal(
    text(faultLines(fault, plainStyle)),
    `holdstill: The plugins have 2 problems.
  ✗ No plugin matches \`use: writer-a@^1\` (instance a).
      writer-a 0.9.0 in /p/a: refused, below ^1
      → \`holdstill plugins list\` shows every candidate and why it was not selected.
  ✗ The plugin in /p/b is not loaded because another user can change it: anybody may write to it.
      /p/b: anybody may write to it
      → chmod go-w /p/b
`,
  );
});

test("where nothing is called so, the hint also thinks of an instance that was renamed", () => {
  const { hint } = toFault(new HoldstillError("E_PLUGIN_UNRESOLVED", { use: "lvm", instance: "old", candidates: [] }));
  assert.match(hint ?? "", /^Install the plugin .* If the instance was renamed in the config, /);
});

test("what could not be undone is named with its reason", () => {
  const error = toFault(new HoldstillError("E_DEADLINE", { who, op: "abort", limitMs: 2000, worker: 5 }));
  const residue = [{ actor: "app", op: "abort", error }];
  assert.equal(
    text(faultLines(toFault(new HoldstillError("E_RESIDUE", { transaction: "t", residue })), plainStyle)),
    `holdstill: Transaction t left something that could not be undone.
  app: abort: writer \`app\` (writer-app 1.0.0), worker 5, did not finish abort within 2.0 s.
→ Run \`holdstill recover\` to list what is left and to try again.
`,
  );
});

const phase = (name: string): Event => ({ type: "phase", at: "", ms: 0, phase: name, limitMs: 1 });
const begun = (actor: string, limitMs: number): Event => ({
  type: "call",
  at: "",
  ms: 0,
  actor,
  op: "prepare",
  status: "begun",
  limitMs,
});

test("the live line says the phase, and first whoever has the least time left", () => {
  const status = new StatusLine();
  status.note(phase("prepare"), 0);
  status.note(begun("slow", 600_000), 0);
  status.note(begun("pg", 20_000), 1000);
  status.note({ type: "progress", at: "", ms: 0, actor: "pg", message: "checkpoint", done: 1, total: 2 }, 2000);
  assert.equal(status.text(3000), "prepare · pg prepare 2 s of 20 s, checkpoint (1 of 2) · slow prepare 3 s of 10 min");
});

test("times and sizes are short and have a unit", () => {
  const times = [0, 8.24, 83.2, 999.6, 12_340, 59_960, 100_000, 3_600_000, 3_900_000].map((ms) => duration(ms));
  assert.deepEqual(times, ["0 ms", "8.2 ms", "83 ms", "1 s", "12.3 s", "60 s", "2 min", "1 h", "1 h 5 min"]);
  assert.deepEqual(
    [0, 1023, 4096, 5_000_000_000].map((size) => bytes(size)),
    ["0 B", "1023 B", "4.0 KiB", "4.7 GiB"],
  );
  assert.equal(instant("2026-01-02T03:04:05.678Z"), "2026-01-02 03:04:05Z");
});

test("how long ago something was is said in one unit", () => {
  const ages = [-5, 59_000, 119_000, 3_600_000, 47 * 3_600_000, 48 * 3_600_000, 400 * 86_400_000].map((ms) => age(ms));
  assert.deepEqual(ages, ["0 s", "59 s", "1 min", "1 h", "47 h", "2 d", "400 d"]);
});

test("a last column that has no room beside the others is below them, and fits too", () => {
  const rows = [
    ["x".repeat(30), "y".repeat(25), "a word and another word, and many more of them, and still one"],
    ["x", "y", "short"],
  ];
  assert.deepEqual(tableLines(rows, { ...plainStyle, columns: 60 }), [
    `  ${"x".repeat(30)}  ${"y".repeat(25)}`,
    "      a word and another word, and many more of them, and",
    "      still one",
    `  x${" ".repeat(31)}y`,
    "      short",
  ]);
});
