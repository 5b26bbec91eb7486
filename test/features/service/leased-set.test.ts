/** Sets that are lent by the service: while somebody waits with them they live, and they may be kept. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { connect } from "holdstill/client";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, Problem, SnapshotSet } from "#core/base/schema/types.js";
import { holdstill, program } from "../../support/process/command-line.js";
import { onEnd } from "../../support/process/on-end.js";
import { askAs, Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

const isRoot = process.getuid?.() === 0;

test("a set lives while somebody waits with it, and goes when he does not any more", async (t) => {
  const stage = new Scene(t);
  const { socket } = await Service.start(t, stage);
  const client = await connect({ socket });
  const { set } = await client.create({ targets: ["writer:app"] }, {}, "3s");
  const id = set?.id ?? "";
  const stays = new AbortController();
  const attending = client.attend(id, stays.signal).catch((error: unknown) => error);
  await sleep(5000);
  assert.equal((await client.show(id)).id, id, "it has outlived its lease");
  stays.abort(new Error("enough"));
  assert.equal(String(await attending), "Error: enough");
  while (stage.stored().length > 0) await sleep(50);
});

test("who waits with a set is told when it is gone, and may renew, give up or keep his own", async (t) => {
  const stage = new Scene(t);
  const { socket } = await Service.start(t, stage);
  const client = await connect({ socket });
  const [one = "", two = ""] = await Promise.all(
    ["one", "two"].map(async (name) => (await client.create({ targets: ["writer:app"], name }, {}, "4s")).set?.id),
  );
  const attending = client.attend(one, new AbortController().signal).catch((error: unknown) => error);
  assert.match((await client.renew(two)).expiresAt ?? "", /^\d{4}-/);
  await client.giveUp(one);
  assert.equal(((await attending) as Fault).code, "E_SET_UNKNOWN");
  assert.equal((await client.keep(two)).lease, undefined);
  await sleep(5000);
  assert.deepEqual(
    (await client.list()).sets.map(({ id }) => id),
    [two],
    "what is kept has no lease any more",
  );
  await assert.rejects(client.renew(two), { code: "E_USAGE" });
});

test("a lease that is given up is not said to be over while its set cannot be removed", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage, { provider: { in: "remove", does: "throws", when: "before" } });
  const { id } = await service.create({ targets: ["writer:app"], lease: "60s" });
  await service.ended(id);
  const refused = await service.ask("DELETE", `/v1/sets/${id}/lease`);
  assert.equal(refused.json<Problem>().code, "E_PLUGIN_FAILED", refused.text);
  assert.equal((await service.ask("GET", `/v1/sets/${id}`)).status, 200);
});

function holding(t: TestContext, config: string): ChildProcess {
  const child = spawn(
    process.execPath,
    [program, "create", "writer:app", "--lease-stdin", "--json", "--config", config],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  onEnd(t, () => void child.kill("SIGKILL"));
  return child;
}

async function heldBy(child: ChildProcess): Promise<SnapshotSet> {
  let text = "";
  for await (const part of child.stdout?.setEncoding("utf8") ?? []) {
    text += part as string;
    if (text.trimEnd().endsWith("\n}")) return JSON.parse(text) as SnapshotSet;
  }
  throw new Error(`it told ${text}`);
}

test("create --lease-stdin through the service ends with stdin, and reports when the service dies", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const child = holding(t, service.config);
  const set = await heldBy(child);
  assert.equal(set.requester?.pid, child.pid, "the service took it");
  assert.deepEqual(stage.stored(), [set.id]);
  child.stdin?.end();
  assert.deepEqual(await once(child, "exit"), [0, null]);
  assert.deepEqual(stage.stored(), []);

  const other = holding(t, service.config);
  await heldBy(other);
  await service.stop("SIGKILL");
  assert.deepEqual(await once(other, "exit"), [4, null]);
  await Service.start(t, stage, { config: service.config });
  assert.deepEqual(stage.stored(), [], "the next service removes it");
});

test("recover by way of the service undoes what is left, and nothing that a requester has made up", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const kept = await service.create({ targets: ["writer:app"] });
  await service.ended(kept.id);
  const [snapshot] = (await (await connect({ socket: service.socket })).providers()).flatMap((one) =>
    "snapshots" in one ? one.snapshots : [],
  );
  const forged = [
    { type: "snapshot", provider: "store", snapshot },
    { type: "expired", id: kept.id, createdAt: "", lease: { id: randomUUID(), pid: 1, since: "" } },
    { type: "transaction", id: kept.id, begunAt: "", owed: [], held: [] },
  ];
  const reply = await service.ask("POST", "/v1/recovery", { body: { leftovers: forged } });
  assert.deepEqual(reply.json(), { done: [], residue: [] });
  assert.deepEqual(stage.stored(), [kept.id]);

  // One whose requester has gone by the time that it is made.
  const file = path.join(stage.dir, "lease");
  const create = `exec 9>${file}; ${process.execPath} ${program} create writer:app --lease-fd 9 --quiet --config ${service.config}`;
  assert.deepEqual(await once(spawn("sh", ["-c", create], { stdio: "ignore" }), "exit"), [0, null]);
  assert.equal(stage.stored().length, 2);
  const run = await holdstill(["recover", "--yes", "--json", "--config", service.config]);
  assert.equal(run.exitCode, 0, run.stdout);
  assert.deepEqual(
    (run.json() as { done: { type: string }[] }).done.map(({ type }) => type),
    ["expired"],
  );
  assert.deepEqual(stage.stored(), [kept.id]);
  assert.match(readFileSync(path.join(stage.dir, "state/audit.jsonl"), "utf8"), /"action":"expire".*"executable"/);
});

test(
  "run, recover and keep go by the rights of who asks",
  { skip: isRoot ? false : "only root can be several users" },
  async (t) => {
    const stage = new Scene(t);
    chmodSync(stage.dir, 0o755);
    const rights = { create: ["user:64001"], read: ["user:64002"] };
    const service = await Service.start(t, stage, { service: { group: "64010", rights } });
    const env = { HOLDSTILL_SOCKET: service.socket, HOME: stage.dir };
    const [alice, bob] = [64_001, 64_002].map((uid) => ({ uid, gid: 64_010 }));
    assert.ok(alice !== undefined && bob !== undefined);
    const copy = path.join(stage.dir, "copy");
    writeFileSync(copy, "");
    chmodSync(copy, 0o666);
    const script = `test -d "$HOLDSTILL_ROOT" || test -z "$HOLDSTILL_ROOT"; cat "$HOLDSTILL_SET_JSON" > ${copy}`;
    const run = await holdstill(["run", "writer:app", "--", "sh", "-c", script], { user: alice, env, cwd: "/" });
    assert.equal(run.exitCode, 0, run.stderr);
    const record = JSON.parse(readFileSync(copy, "utf8")) as SnapshotSet;
    assert.equal(record.requester?.uid, alice.uid);
    assert.deepEqual([stage.stored(), existsSync(path.join(stage.dir, "state/sets", record.id))], [[], false]);
    assert.ok(stage.calls("app").includes("complete"));

    for (const who of [alice, bob]) {
      const refused = await askAs(who, service.socket, "POST", "/v1/recovery", { leftovers: [] });
      assert.equal(refused.code, "E_FORBIDDEN");
    }
    const { id } = await service.create({ targets: ["writer:app"], lease: "60s" });
    await service.ended(id);
    for (const [method, call] of [
      ["POST", "keep"],
      ["GET", "lease"],
    ] as const) {
      assert.equal(
        (await askAs(alice, service.socket, method, `/v1/sets/${id}/${call}`)).code,
        "E_FORBIDDEN",
        "it is root's",
      );
    }
    const refused = await holdstill(["run", "writer:app", "--", "true"], { user: bob, env, cwd: "/" });
    assert.equal(refused.exitCode, 3, refused.stderr);
    assert.match(refused.stderr, /right: create/);
  },
);
