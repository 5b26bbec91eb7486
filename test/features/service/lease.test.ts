/** Leases: a set lives as long as somebody cares for it. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { LeaseState } from "#core/base/schema/types.js";
import { Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("a set goes when its lease is not renewed, with the reason in the audit, and lives while it is", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const { id } = await service.create({ targets: ["writer:app"], lease: "3s" });
  await service.ended(id);
  assert.equal((await service.ask("POST", `/v1/sets/${id}/expose`)).status, 200);
  const until = performance.now() + 5000;
  while (performance.now() < until) {
    const renewed = (await service.ask("POST", `/v1/sets/${id}/lease`)).json<LeaseState>();
    assert.equal(renewed.set, id);
    await pause(300);
  }
  assert.equal(stage.stored().length, 1, "it outlived its lease, which was renewed");
  while (stage.stored().length > 0) await pause(50);
  while ((await service.ask("GET", `/v1/sets/${id}`)).status !== 404) await pause(50);
  const audit = readFileSync(path.join(stage.dir, "state/audit.jsonl"), "utf8");
  assert.match(audit, /"action":"expire".*"detail":"its lease was not renewed for 3 s"/);
  while (readdirSync(path.join(stage.dir, "state/leases")).length > 0) await pause(50);
});

test("while somebody watches the operation its set lives; a lease that is given up ends it at once", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const one = await service.create({ targets: ["writer:app"], lease: "60s" });
  await service.ended(one.id);
  assert.deepEqual((await service.ask("DELETE", `/v1/sets/${one.id}/lease`)).json(), { deleted: one.id });
  assert.deepEqual(stage.stored(), []);
  const two = await service.create({ targets: ["writer:app"] });
  await service.ended(two.id);
  const none = await service.ask("POST", `/v1/sets/${two.id}/lease`);
  assert.equal(none.status, 400, "it has no lease");
});

test("the end of the service is the end of its leases", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const { id } = await service.create({ targets: ["writer:app"], lease: "60s" });
  await service.ended(id);
  assert.equal(await service.stop(), 0);
  assert.deepEqual(stage.stored(), []);
});
