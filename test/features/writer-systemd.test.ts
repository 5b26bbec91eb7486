/** Real processes in a real control group, held by the kernel's freezer while a real provider copies. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { TransactionResult } from "#core/engine/types.js";
import { cgroupRoot, numbers, startNumberWriter, TestUnit } from "../support/process/cgroup.js";
import { onEnd } from "../support/process/on-end.js";
import { type CliRun, holdstill, type RunOptions } from "../support/process/command-line.js";
import { tempDir } from "../support/storage/temp.js";

const root = cgroupRoot() ?? "";
const skip = root === "" ? "needs control groups of version 2, and root" : false;

interface Shop {
  unit: TestUnit;
  dir: string;
  data: string;
  run: (args: readonly string[], options?: object, surroundings?: RunOptions, more?: object) => Promise<CliRun>;
  /** Whether the application writes. */
  runs: () => Promise<boolean>;
}

async function shop(t: TestContext): Promise<Shop> {
  const dir = tempDir(t);
  const unit = new TestUnit(t, root);
  const data = path.join(dir, "data");
  await startNumberWriter(t, unit, data);
  return {
    unit,
    dir,
    data,
    run(args, options = { unit: unit.unit }, surroundings = {}, more = {}) {
      const config = path.join(dir, "holdstill.json");
      const plugins = [{ use: "writer-systemd", as: "shop", options: { paths: [data], ...options }, ...more }];
      writeFileSync(
        config,
        JSON.stringify({ stateDir: path.join(dir, "state"), exposeDir: path.join(dir, "exposed"), plugins }),
      );
      return holdstill([...args, "--config", config], surroundings);
    },
    async runs() {
      const seen = new Set<number>();
      for (let tries = 0; tries < 100 && seen.size < 3; tries += 1) {
        seen.add(numbers(data)[0] ?? 0);
        await sleep(20);
      }
      return seen.size === 3;
    },
  };
}

const isOneInstant = ([first = 0, ...rest]: number[]): boolean =>
  rest.every((n, at) => n <= ([first, ...rest][at] ?? 0) && n >= first - 1);

/** Does something once the application is frozen and the snapshot is being taken. */
function inCommit(act: (pid: number) => void): RunOptions {
  let done = false;
  return {
    onStderr(text, child) {
      if (done || !text.includes("\ncommit (")) return;
      done = true;
      act(child.pid ?? 0);
    },
  };
}

for (const by of ["unit", "cgroup"] as const) {
  test(`an application given by its ${by} stands still while it is copied, and goes on`, { skip }, async (t) => {
    const { unit, run, runs } = await shop(t);
    let wasFrozen = false;
    const options = by === "unit" ? { unit: unit.unit } : { cgroup: unit.name };
    const looking = inCommit(() => (wasFrozen = unit.isFrozen()));
    const made = await run(["create", "writer:shop", "--require", "application"], options, looking);
    assert.equal(made.exitCode, 0, made.stderr);
    assert.ok(wasFrozen);
    assert.ok(await runs());
    const exposed = await run(["expose", "latest", "--quiet"], options);
    const seen = numbers(exposed.stdout.trim());
    await run(["unexpose", "latest"], options);
    assert.ok(isOneInstant(seen), seen.join(" "));
  });
}

const losses: { name: string; act: (shop: Shop, t: TestContext) => void; says: RegExp }[] = [
  { name: "thaws it", act: ({ unit }) => unit.freeze("0"), says: /another process thawed \/hstest/ },
  {
    name: "thaws it and freezes it again at once",
    act({ unit }) {
      unit.freeze("0");
      unit.freeze("1");
    },
    says: /changed meanwhile: it was thawed and frozen again/,
  },
  {
    name: "kills the application",
    act: ({ unit }) => writeFileSync(path.join(unit.dir, "cgroup.kill"), "1"),
    says: /the application has ended: \/hstest/,
  },
];

for (const { name, act, says } of losses) {
  test(`when another process ${name} meanwhile, the record shows it`, { skip }, async (t) => {
    const stage = await shop(t);
    const made = await stage.run(
      ["create", "writer:shop"],
      undefined,
      inCommit(() => act(stage, t)),
    );
    assert.equal(made.exitCode, 5, made.stderr);
    assert.equal(stage.unit.isFrozen(), false);
    const { stdout } = await stage.run(["show", "latest", "--json"]);
    assert.match(stdout, says);
    assert.notEqual((JSON.parse(stdout) as TransactionResult["set"])?.consistency, "application");
  });
}

test("a process that is moved in meanwhile, as by a health check, is no interruption", { skip }, async (t) => {
  const { unit, run, runs } = await shop(t);
  const child = spawn("sh", ["-c", "while :; do :; done"], { stdio: "ignore" });
  onEnd(t, () => void child.kill("SIGKILL"));
  const moving = inCommit(() => unit.enter(child.pid ?? 0));
  const made = await run(["create", "writer:shop", "--require", "application"], undefined, moving);
  assert.equal(made.exitCode, 0, made.stderr);
  assert.match(readFileSync(path.join(unit.dir, "cgroup.procs"), "utf8"), new RegExp(`^${child.pid}$`, "m"));
  assert.ok(await runs());
});

test("after SIGKILL of holdstill the application stands still, and recover lets it go on", { skip }, async (t) => {
  const { unit, dir, run, runs } = await shop(t);
  const killed = await run(
    ["create", "writer:shop"],
    undefined,
    inCommit((pid) => process.kill(pid, "SIGKILL")),
  );
  assert.equal(killed.exitCode, null);
  assert.equal(unit.isFrozen(), true);
  const recovered = await run(["recover", "--yes"]);
  assert.equal(recovered.exitCode, 0, recovered.stderr);
  assert.equal(unit.isFrozen(), false);
  assert.ok(await runs());
  assert.deepEqual(readdirSync(path.join(dir, "state/plugins/shop/owed")), []);
});

test("when its worker dies the application goes on by the compensation", { skip }, async (t) => {
  const { unit, run, runs } = await shop(t);
  const killing = inCommit((pid) => workersOf(pid).forEach((worker) => process.kill(worker, "SIGKILL")));
  const verbose = ["create", "writer:shop", "--verbose"];
  const died = await run(verbose, undefined, killing, { isolation: "process" });
  assert.notEqual(died.exitCode, 0);
  assert.match(died.stderr, /thawed by its compensation/);
  assert.equal(unit.isFrozen(), false);
  assert.ok(await runs());
});

test("a group that holdstill is in is not frozen, nor one above it", { skip }, async (t) => {
  const { unit, run, runs } = await shop(t);
  const inside = { onStart: (child: { pid?: number | undefined }) => unit.enter(child.pid ?? 0) };
  for (const options of [{ unit: unit.unit }, { cgroup: unit.slice }]) {
    const refused = await run(["create", "writer:shop"], options, inside);
    assert.equal(refused.exitCode, 4);
    assert.match(refused.stderr, /holdstill itself runs in \/hstest.*\n→ Run holdstill outside of it/);
  }
  assert.equal(unit.isFrozen(), false);
  assert.ok(await runs());
});

test("a freeze by another process is refused and left as it is", { skip }, async (t) => {
  const { unit, run } = await shop(t);
  unit.freeze("1");
  const refused = await run(["create", "writer:shop"]);
  assert.equal(refused.exitCode, 4);
  assert.match(refused.stderr, /is already frozen\n→ Find out which program froze it/);
  assert.equal(readFileSync(path.join(unit.dir, "cgroup.freeze"), "utf8"), "1\n");
  unit.freeze("0");
  const above = path.join(root, unit.slice, "cgroup.freeze");
  writeFileSync(above, "1");
  assert.match((await run(["create", "writer:shop"])).stderr, /is already frozen/);
  writeFileSync(above, "0");
});

test("a group that does not exist, is empty, or has a namesake is refused with the next step", { skip }, async (t) => {
  const { unit, run, dir } = await shop(t);
  const empty = new TestUnit(t, root);
  const twin = path.join(root, empty.slice, unit.unit);
  for (const [options, says] of [
    [{ unit: "no-such.service" }, /no control group belongs to no-such\.service\n→ Check that it is running/],
    [{ cgroup: "/no/such" }, /there is no control group \/no\/such in /],
    [{ unit: empty.unit }, /has no process/],
    [{}, /expected either `unit` or `cgroup`, and not both/],
    [{ cgroup: "/a/../.." }, /\/options\/cgroup/],
  ] as const) {
    const { exitCode, stderr } = await run(["create", dir], options);
    assert.ok([2, 4].includes(exitCode ?? 0), `${exitCode} ${stderr}`);
    assert.match(stderr, says);
  }
  mkdirSync(twin);
  onEnd(t, () => existsSync(twin) && rmdirSync(twin));
  assert.match((await run(["plan", dir])).stderr, /both have the name .*\n→ Name the right one/);
});

/** The processes that a process has started. */
function workersOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

test(
  "after a disaster, restore refuses while the application runs, and then gives back what was frozen",
  { skip },
  async (t) => {
    const { unit, data, run } = await shop(t);
    assert.equal((await run(["create", "writer:shop", "--require", "application"])).exitCode, 0);
    const running = await run(["restore", "latest", "--yes"]);
    assert.equal(running.exitCode, 4, running.stderr);
    assert.match(running.stderr, /the application runs: \/hstest.* has processes/);
    const other = await run(["restore", "latest", "--yes"], { unit: "other.service" });
    assert.match(other.stderr, /the set has nothing of other\.service/);
    writeFileSync(path.join(unit.dir, "cgroup.kill"), "1");
    while (processesOf(unit) > 0) await sleep(10);
    rmSync(data, { recursive: true });
    const restored = await run(["restore", "latest", "--yes"]);
    assert.equal(restored.exitCode, 0, restored.stderr);
    const seen = numbers(data);
    assert.ok(isOneInstant(seen) && (seen[0] ?? 0) > 0, seen.join(" "));
  },
);

/** How many processes the group has. */
function processesOf({ dir }: TestUnit): number {
  return readFileSync(path.join(dir, "cgroup.procs"), "utf8").split("\n").filter(Boolean).length;
}
