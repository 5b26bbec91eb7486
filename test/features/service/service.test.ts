/** `holdstill serve`: the API, as a requester in any language sees it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { AuditLine, Health, OperationDocument, Problem, SnapshotSet } from "#core/base/schema/types.js";
import { validate } from "#core/base/schema/validate.js";
import { holdstill } from "../../support/process/command-line.js";
import { Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

const auditOf = (stage: Scene): AuditLine[] =>
  readFileSync(path.join(stage.dir, "state/audit.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const checked = validate("audit", JSON.parse(line), "audit.jsonl");
      assert.ok(checked.ok, line);
      return checked.value;
    });

test("a backup tool plans, takes a set, follows it, reads it, says how the backup went, and deletes it", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const health = (await service.ask("GET", "/v1/health")).json<Health>();
  assert.equal(health.pid, service.child.pid);
  assert.deepEqual(
    [health.you.requester.pid, health.you.requester.executable, health.you.rights],
    [process.pid, process.execPath, ["read", "create", "delete", "restore"]],
  );
  const writers = (await service.ask("GET", "/v1/writers")).json<{ writers: { who: { instance: string } }[] }>();
  assert.deepEqual(
    writers.writers.map(({ who }) => who.instance),
    ["app"],
  );
  const plan = await service.ask("POST", "/v1/plans", { body: { targets: ["writer:app"] } });
  assert.equal(plan.status, 200, plan.text);
  assert.deepEqual(stage.stored(), [], "a plan touches nothing");

  const accepted = await service.ask("POST", "/v1/sets", { body: { targets: ["writer:app"], name: "nightly" } });
  assert.equal(accepted.status, 202, accepted.text);
  const { id } = accepted.json<OperationDocument>();
  assert.equal(accepted.headers.location, `/v1/operations/${id}`);
  const events = await service.allEvents(id);
  assert.deepEqual(
    events.map(({ number }) => number),
    events.map((_, index) => index + 1),
  );
  for (const { event } of events) assert.ok(validate("event", event, "event").ok, JSON.stringify(event));
  assert.equal(events.at(0)?.event.type, "begun");
  assert.equal(events.at(-1)?.event.type, "ended");
  const { state } = (await service.ask("GET", `/v1/operations/${id}`)).json<OperationDocument>();
  assert.ok(state.type === "ended", "who has read the last event finds the operation over");
  assert.deepEqual([state.result.outcome, state.result.set], ["created", id]);

  const resumed = await service.allEvents(id, 3);
  assert.deepEqual(resumed, events.slice(3), "who comes back goes on where he was");

  const set = (await service.ask("POST", "/v1/sets/nightly/expose")).json<SnapshotSet>();
  const tree = set.exposed?.[0]?.exposed.trees[0]?.path ?? "";
  assert.equal(readFileSync(path.join(tree, "file"), "utf8"), "precious\n");
  assert.deepEqual([set.requester?.uid, set.requester?.pid], [process.getuid?.(), process.pid]);
  const body = { succeeded: true, type: "full" };
  assert.equal((await service.ask("POST", `/v1/sets/${id}/complete`, { body })).status, 200);
  assert.equal((await service.ask("POST", `/v1/sets/${id}/verify`)).status, 409, "somebody may be reading it");
  assert.equal((await service.ask("POST", `/v1/sets/${id}/unexpose`)).status, 200);
  const verified = (await service.ask("POST", `/v1/sets/${id}/verify`)).json<SnapshotSet>();
  assert.equal(verified.verified?.[0]?.result, "opens");
  assert.deepEqual((await service.ask("DELETE", `/v1/sets/${id}`)).json(), { deleted: id });
  assert.deepEqual(stage.stored(), []);

  assert.deepEqual(
    auditOf(stage).map(({ action, pid, executable, set: of }) => [action, pid, executable, of]),
    ["create", "expose", "complete", "unexpose", "verify", "delete"]
      .toSpliced(3, 0, "verify")
      .map((action) => [action, process.pid, process.execPath, id]),
  );
  assert.equal(await service.stop(), 0);
  assert.ok(!existsSync(service.socket), "the socket goes with it");
});

test("what cannot be done is a problem document with our code", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const cases: [string, string, unknown, number, string][] = [
    ["GET", "/v1/nowhere", undefined, 404, "E_REQUEST"],
    ["GET", "/v1/sets/nightly", undefined, 404, "E_SET_UNKNOWN"],
    ["GET", "/v1/operations/20260101-000000-000000", undefined, 404, "E_OPERATION_UNKNOWN"],
    ["GET", "/v1/operations/20260101-000000-000000/events", undefined, 404, "E_OPERATION_UNKNOWN"],
    ["POST", "/v1/sets", { targets: [] }, 400, "E_REQUEST"],
    ["POST", "/v1/sets", { targets: ["relative"] }, 400, "E_REQUEST"],
    ["POST", "/v1/plans", { targets: ["/no/such/folder"] }, 422, "E_TARGET_UNREADABLE"],
    ["POST", "/v1/plans", { targets: ["writer:nobody"] }, 422, "E_TARGET_UNKNOWN"],
  ];
  for (const [method, url, body, status, code] of cases) {
    const reply = await service.ask(method, url, body === undefined ? {} : { body });
    const checked = validate("service#/$defs/problem", reply.json(), url);
    assert.ok(checked.ok, reply.text);
    assert.deepEqual([reply.status, checked.value.status, checked.value.code], [status, status, code], url);
    assert.equal(reply.headers["content-type"], "application/problem+json");
  }
  const refused = await service.create({ targets: ["writer:nobody"] });
  const { state } = await service.ended(refused.id);
  assert.deepEqual([state.result.outcome, state.result.error?.code], ["refused", "E_TARGET_UNKNOWN"]);
  const events = await service.allEvents(refused.id);
  assert.deepEqual(
    events.map(({ event }) => event.type),
    ["ended"],
  );
});

test("the same idempotency key gives the same operation, and never another one", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const key = { "idempotency-key": "job-7" };
  const first = await service.create({ targets: ["writer:app"], name: "a" }, key);
  const again = await service.create({ name: "a", targets: ["writer:app"] }, key);
  assert.equal(again.id, first.id);
  const other = await service.ask("POST", "/v1/sets", { body: { targets: ["writer:app"] }, headers: key });
  assert.deepEqual([other.status, other.json<Problem>().code], [422, "E_KEY_REUSED"]);
  await service.ended(first.id);
  assert.equal(stage.stored().length, 1);
  await service.stop();
  const next = await Service.start(t, stage, { config: service.config });
  assert.equal((await next.create({ targets: ["writer:app"], name: "a" }, key)).id, first.id, "also after a restart");
  assert.equal(stage.stored().length, 1);
});

test("an operation that is interrupted is undone in order, and so is everything when the service ends", async (t) => {
  const stage = new Scene(t);
  const limits = { freeze: "60s", prepare: "60s" };
  const service = await Service.start(t, stage, { limits, writer: { in: "freeze", does: "hangs" } });
  const one = await service.create({ targets: ["writer:app"] });
  while (!stage.isFrozen()) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await service.ask("DELETE", `/v1/operations/${one.id}`)).status, 202);
  const { state } = await service.ended(one.id);
  assert.deepEqual([state.result.outcome, state.result.error?.code], ["interrupted", "E_INTERRUPTED"]);
  assert.ok(!stage.isFrozen());
  const two = await service.create({ targets: ["writer:app"] });
  while (!stage.isFrozen()) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(await service.stop("SIGTERM"), 0);
  assert.ok(!stage.isFrozen());
  assert.deepEqual(stage.stored(), []);
  const kept = service.kept(stage, two.id)?.operation.state;
  assert.ok(kept?.type === "ended" && kept.result.outcome === "interrupted", "the next service knows it");
});

test("who has to wait is told for whom, and how many are before him, and comes forward", async (t) => {
  const stage = new Scene(t);
  const hangs = { provider: { in: "prepare", does: "hangs" }, limits: { prepare: "60s", identify: "60s" } } as const;
  const service = await Service.start(t, stage, hangs);
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1) ids.push((await service.create({ targets: ["writer:app"] })).id);
  const [first = "", second = "", third = ""] = ids;
  const placeOf = async (id: string): Promise<[string, number] | null> => {
    const { state } = (await service.ask("GET", `/v1/operations/${id}`)).json<OperationDocument>();
    return state.type === "queued" ? [state.owner.transaction, state.position ?? 0] : null;
  };
  const isAt = async (id: string, place: [string, number]): Promise<boolean> =>
    isDeepStrictEqual(await placeOf(id), place);
  while (!(await isAt(second, [first, 1])) || !(await isAt(third, [first, 2])))
    await new Promise((resolve) => setTimeout(resolve, 50));
  await service.ask("DELETE", `/v1/operations/${first}`);
  while (!(await isAt(third, [second, 1]))) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const id of [second, third]) await service.ask("DELETE", `/v1/operations/${id}`);
  for (const id of ids) assert.equal((await service.ended(id)).state.result.outcome, "interrupted");
  const places = (await service.allEvents(third)).flatMap(({ event }) =>
    event.type === "queued" ? [event.position] : [],
  );
  // While the first were still planned it may have been the third.
  assert.deepEqual(places.slice(-2), [2, 1]);
});

test("beyond as many operations as the config allows a requester is told to come back", async (t) => {
  const stage = new Scene(t);
  const hangs = { writer: { in: "prepare", does: "hangs" }, limits: { prepare: "60s" } } as const;
  const service = await Service.start(t, stage, { ...hangs, service: { operations: 1 } });
  const { id } = await service.create({ targets: ["writer:app"] });
  const refused = await service.ask("POST", "/v1/sets", { body: { targets: ["writer:app"] } });
  assert.deepEqual([refused.status, refused.json<Problem>().code], [503, "E_UNAVAILABLE"]);
  assert.equal(refused.headers["retry-after"], "1");
  await service.ask("DELETE", `/v1/operations/${id}`);
  assert.equal((await service.ended(id)).state.result.outcome, "interrupted");
});

test("a second service on the same state is refused, and the first is named", async (t) => {
  const stage = new Scene(t);
  const first = await Service.start(t, stage);
  const second = await holdstill(["serve", "--json", "--config", first.config]);
  assert.equal(second.exitCode, 3, second.stderr);
  const { error } = second.json() as { error: Problem };
  assert.deepEqual([error.code, error.details["pid"]], ["E_SERVICE_RUNNING", first.child.pid]);
});

test("it ends when it had nothing to do for as long as --idle says, and not while somebody is there", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage, { args: ["--idle", "3s"] });
  const { id } = await service.create({ targets: ["writer:app"] });
  await service.ended(id);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  assert.equal(service.child.exitCode, null, "there is a connection that is kept alive");
  await service.stop("SIGCONT").catch(() => undefined);
  assert.equal(service.child.exitCode, 0);
});
