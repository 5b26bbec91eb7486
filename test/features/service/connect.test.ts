/** One engine, two doors: the command line does the same alone and by way of the service. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { AuditLine, Event, Fault, SnapshotSet, Span } from "#core/base/schema/types.js";
import { type CliRun, holdstill } from "../../support/process/command-line.js";
import { Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

/** Every command that knows both doors, in a day's order. */
const day: readonly (readonly string[])[] = [
  ["plan", "writer:app"],
  ["create", "writer:app", "--name", "nightly", "--tag", "job=7"],
  ["create", "writer:nobody"],
  ["list"],
  ["show", "nightly"],
  ["writers"],
  ["providers"],
  ["expose", "nightly"],
  ["verify", "nightly"],
  ["unexpose", "nightly"],
  ["verify", "nightly"],
  ["repair", "nightly"],
  ["complete", "nightly", "--succeeded", "--type", "full"],
  ["delete", "nightly", "--yes"],
  ["show", "nightly"],
  ["run", "writer:app", "--", "sh", "-c", "test -d $HOLDSTILL_ROOT && test -f $HOLDSTILL_SET_JSON && exit 3"],
  ["run", "writer:app", "--keep", "--name", "kept", "--type", "full", "--", "true"],
  ["run", "writer:app", "--", "no-such-command"],
  ["show", "kept"],
  ["create", "writer:app", "--lease-stdin", "--expose"],
  ["create", "writer:app", "--name", "newer"],
  ["prune", "--keep-last", "1", "--dry-run"],
  ["prune", "--keep-last", "1", "--yes"],
  ["recover", "--dry-run"],
  ["recover", "--yes"],
  ["history"],
  ["metrics"],
  ["list"],
];

/** What differs from run to run is made alike: names, times, and the order in which calls that run side by side end. */
function alike({ stdout, exitCode }: CliRun, dir: string): { exitCode: number | null; said: unknown } {
  const text = stdout
    .replaceAll(dir, "DIR")
    .replaceAll(/\d{8}-\d{6}-[0-9a-f]{6}/g, "ID")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replaceAll(/"sha256": "[0-9a-f]+"/g, '"sha256": ""');
  const said: unknown = JSON.parse(text, (key, value: unknown) => {
    if (["from", "to", "since", "until", "frozenMs", "limitMs"].includes(key)) return 0;
    // Only the service knows who asked, and keeps the lease itself.
    if (key === "requester") return undefined;
    if (key === "lease") return "leased";
    if (key === "text")
      return String(value)
        .replaceAll(/ [\d.e-]+$/gm, "")
        .split("\n")
        .toSorted();
    return key === "timeline" ? (value as Span[]).map(({ op, actor }) => `${op} ${actor}`).toSorted() : value;
  });
  return { exitCode, said };
}

async function lived(config: string, dir: string): Promise<unknown[]> {
  const told: unknown[] = [];
  for (const args of day) {
    const [command = "", ...rest] = args;
    const run = await holdstill([command, "--json", "--config", config, ...rest]);
    assert.notEqual(run.stdout, "", `${args.join(" ")}: ${run.stderr}`);
    told.push({ args, ...alike(run, dir) });
  }
  return told;
}

const executables = (stage: Scene): (string | undefined)[] =>
  readFileSync(path.join(stage.dir, "state/audit.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as AuditLine).executable);

test("each command that goes by the service says and ends as it does alone", async (t) => {
  const [alone, served] = [new Scene(t), new Scene(t)];
  const config = alone.configFile();
  const service = await Service.start(t, served);
  const [one, other] = [await lived(config, alone.dir), await lived(service.config, served.dir)];
  assert.deepEqual(other, one);
  assert.ok(executables(alone).every((executable) => executable === undefined));
  assert.ok(
    executables(served).every((executable) => executable === process.execPath),
    "they went by the service",
  );
});

test("a stream of events is the same by both doors, and an interruption reaches the transaction", async (t) => {
  const stage = new Scene(t);
  const limits = { freeze: "60s" };
  const service = await Service.start(t, stage, { limits, writer: { in: "freeze", does: "hangs" } });
  const run = await holdstill(["create", "writer:app", "--json=stream", "--config", service.config], {
    onStart: (child) =>
      child.stdout?.on("data", (text: string) => {
        if (text.includes('"op":"freeze"')) child.kill("SIGINT");
      }),
  });
  assert.equal(run.exitCode, 130, run.stdout);
  const events = run.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
  const last = events.at(-1);
  assert.ok(last?.type === "ended" && last.error?.code === "E_INTERRUPTED", JSON.stringify(last));
  assert.ok(!stage.isFrozen());
  assert.deepEqual(stage.stored(), []);
});

test("a service that dies while the command line waits is told as such", async (t) => {
  const stage = new Scene(t);
  const limits = { freeze: "60s" };
  const service = await Service.start(t, stage, { limits, writer: { in: "freeze", does: "hangs" } });
  const running = holdstill(["create", "writer:app", "--json", "--config", service.config]);
  while (!stage.isFrozen()) await new Promise((resolve) => setTimeout(resolve, 20));
  await service.stop("SIGKILL");
  const run = await running;
  assert.equal(run.exitCode, 4, run.stderr);
  assert.equal((run.json() as { error: Fault }).error.code, "E_SERVICE_LOST");
  const undone = await holdstill(["recover", "--yes", "--config", service.config]);
  assert.equal(undone.exitCode, 0, undone.stderr);
  assert.ok(!stage.isFrozen());
});

const skip = process.getuid?.() === 0 ? false : "only root can be several users";

test("whoever has a right there works by the service with root's sets, and without one alone", { skip }, async (t) => {
  const stage = new Scene(t);
  chmodSync(stage.dir, 0o755);
  const service = await Service.start(t, stage, { service: { group: "64010", rights: { create: ["user:64001"] } } });
  const env = { HOLDSTILL_SOCKET: service.socket, HOME: stage.dir };
  const alice = { uid: 64_001, gid: 64_010 };
  const made = await holdstill(["create", "writer:app", "--json"], { user: alice, env, cwd: "/" });
  assert.equal(made.exitCode, 0, made.stdout);
  const { set } = made.json() as { set: SnapshotSet };
  assert.deepEqual([set.requester?.uid, stage.stored()], [64_001, [set.id]]);
  const deleted = await holdstill(["delete", set.id, "--yes", "--json"], { user: alice, env, cwd: "/" });
  assert.equal(deleted.exitCode, 3, deleted.stdout);
  const { failed } = deleted.json() as { failed: { error: Fault }[] };
  assert.equal(failed[0]?.error.code, "E_FORBIDDEN");
  const bob = { uid: 64_002, gid: 64_010 };
  const listed = await holdstill(["list", "--json"], { user: bob, env, cwd: "/" });
  assert.deepEqual(listed.json(), { sets: [], damaged: [] }, "he has no sets of his own");
});
