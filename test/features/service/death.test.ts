/** The service is killed in the midst of transactions: everything is undone by the next one, and clients are told the truth. */
import assert from "node:assert/strict";
import test from "node:test";
import type { OperationDocument, SnapshotSet } from "#core/base/schema/types.js";
import { Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

const patient = { identify: "60s", prepare: "60s", freeze: "60s", copy: "60s", seal: "60s", abort: "30s" };

/** Where it is killed, and what hangs there. */
const moments = [
  { role: "writer", op: "identify", frozen: false },
  { role: "provider", op: "prepare", frozen: false },
  { role: "writer", op: "freeze", frozen: true },
  { role: "provider", op: "commit", frozen: true },
  { role: "writer", op: "thaw", frozen: false },
  { role: "provider", op: "seal", frozen: false },
] as const;

for (const { role, op, frozen } of moments) {
  test(`kill -9 in ${op}: the next service lets the application go on, and says that there is no set`, async (t) => {
    const stage = new Scene(t);
    const service = await Service.start(t, stage, { limits: patient, [role]: { in: op, does: "hangs" } });
    const key = { "idempotency-key": "one" };
    const { id } = await service.create({ targets: ["writer:app"] }, key);
    const of = role === "writer" ? "app" : "store";
    while (!stage.calls(of).includes(op)) await new Promise((resolve) => setTimeout(resolve, 20));
    while (stage.isFrozen() !== frozen) await new Promise((resolve) => setTimeout(resolve, 20));
    await service.stop("SIGKILL");

    const { socket } = service;
    const next = await Service.start(t, stage, { service: { socket } });
    assert.ok(!stage.isFrozen());
    assert.deepEqual(stage.stored(), []);
    const { state } = (await next.ask("GET", `/v1/operations/${id}`)).json<OperationDocument>();
    assert.ok(state.type === "ended");
    assert.deepEqual([state.result.outcome, state.result.error?.code], ["aborted", "E_SERVICE_DIED"]);
    const told = await next.allEvents(id);
    assert.deepEqual(
      told.map(({ event }) => (event.type === "ended" ? event.error?.code : event.type)),
      ["E_SERVICE_DIED"],
    );
    assert.equal((await next.ask("GET", `/v1/sets/${id}`)).status, 404);
    assert.equal(
      (await next.create({ targets: ["writer:app"] }, key)).id,
      id,
      "a request that is repeated is the same",
    );
    const fresh = await next.create({ targets: ["writer:app"] });
    assert.equal((await next.ended(fresh.id)).state.result.outcome, "created");
  });
}

test("a set that was there when the service was killed is there, unless it was leased", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const stays = await service.create({ targets: ["writer:app"] });
  const leased = await service.create({ targets: ["writer:app"], lease: "60s" });
  for (const { id } of [stays, leased]) assert.equal((await service.ended(id)).state.result.outcome, "created");
  await service.stop("SIGKILL");
  const next = await Service.start(t, stage, { config: service.config });
  const { sets } = (await next.ask("GET", "/v1/sets")).json<{ sets: SnapshotSet[] }>();
  assert.deepEqual(
    sets.map(({ id }) => id),
    [stays.id],
  );
  assert.deepEqual(stage.stored(), [stays.id]);
  assert.equal((await next.ended(stays.id)).state.result.outcome, "created");
});
