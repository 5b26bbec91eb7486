/** The provider with a driver that is slow, wrong, or away. The driver is a process of its own; its volumes are not mounted. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { status } from "@grpc/grpc-js";
import provider from "@holdstill/provider-csi/dist/index.js";
import type { Options } from "@holdstill/provider-csi/dist/options.js";
import type { Snapshot } from "holdstill/plugin";
import { newSetId } from "#core/plan/set-id.js";
import { CsiDriver } from "../support/csi/csi-driver.js";
import type { Script } from "../support/csi/script.js";
import type { TestContext as Context } from "../support/fixture/context.js";
import { tempDir } from "../support/storage/temp.js";
import { listAll } from "../support/fixture/list-all.js";

/** A driver with two volumes, and one transaction on them. */
class Transaction {
  readonly driver: CsiDriver;
  readonly tx = { id: newSetId(), cut: "atomic" as const };
  readonly #options: Partial<Options>;
  readonly #dataDir: string;

  private constructor(t: TestContext, driver: CsiDriver, options: Partial<Options>) {
    this.driver = driver;
    this.#options = options;
    this.#dataDir = tempDir(t);
  }

  static async begin(t: TestContext, script: Script = {}, options: Partial<Options> = {}): Promise<Transaction> {
    const driver = await CsiDriver.start(t);
    const blank = await driver.blankVolumes(["one", "two"]);
    driver.behave(script);
    const it = new Transaction(t, driver, { ...blank.options, ...options });
    await provider.prepare(it.tx, blank.volumes, it.ctx());
    return it;
  }

  ctx(limitMs = 60_000, signal?: AbortSignal): Context<Options> {
    return this.driver.context(this.#options, { dataDir: this.#dataDir, limitMs, ...(signal && { signal }) });
  }

  commit(ctx = this.ctx()): Promise<void> {
    return provider.commit?.(this.tx, ctx) ?? Promise.reject(new Error("no commit"));
  }

  seal(ctx = this.ctx()): Promise<Snapshot[]> {
    return provider.seal(this.tx, ctx);
  }

  abort(ctx = this.ctx()): Promise<void> {
    return provider.abort(this.tx, ctx);
  }

  list(): Promise<Snapshot[]> {
    return listAll(provider, this.ctx());
  }

  called(method: string): number {
    return this.driver.calls().filter((call) => call.method === method).length;
  }

  async isUndone(): Promise<void> {
    assert.deepEqual(this.driver.stored(), []);
    assert.deepEqual(await this.list(), []);
  }
}

const names = ({ tx }: Transaction): string[] => [`holdstill-${tx.id}-0`, `holdstill-${tx.id}-1`];
const fails = (code: status): Script => ({ faults: { CreateVolumeGroupSnapshot: { code } } });
const single = { lacks: ["GROUP_CONTROLLER_SERVICE"] };

test("a driver whose socket is missing is unreachable, and its snapshots count as there until it returns", async (t) => {
  const it = await Transaction.begin(t);
  await it.commit();
  const [snapshot] = await it.seal();
  assert.ok(snapshot !== undefined);
  await it.driver.stop();
  const unreachable = { code: "UNREACHABLE", message: /csi\.sock cannot be reached/, hint: /Start the driver/ };
  await assert.rejects(it.list(), unreachable);
  await assert.rejects(provider.remove(snapshot, it.ctx()), unreachable);
  await assert.rejects(it.abort(), unreachable);
  await it.driver.start();
  assert.deepEqual(
    (await it.list()).map(({ lost }) => lost),
    [undefined, undefined],
  );
  await it.abort();
  await it.isUndone();
});

for (const [what, script] of [
  ["a group", {}],
  ["single snapshots", single],
] as const)
  test(`an abort finds ${what} whose answer was lost, by the same request again`, async (t) => {
    const method = what === "a group" ? "CreateVolumeGroupSnapshot" : "CreateSnapshot";
    const faults = { [method]: { losesAnswer: true, times: 1 } } as const;
    const it = await Transaction.begin(t, { ...script, faults });
    await assert.rejects(it.commit(), { code: "UNREACHABLE" });
    assert.ok(it.driver.stored().length > 0, "the work was done");
    await it.abort();
    await it.isUndone();
  });

test("an abort does not report success if the driver refuses the second request, since the first may have made something", async (t) => {
  const faults = { CreateVolumeGroupSnapshot: { losesAnswer: true, times: 1 } } as const;
  const it = await Transaction.begin(t, { faults, secondRequest: "is-refused" });
  await assert.rejects(it.commit());
  await assert.rejects(it.abort(), { code: "NAME_TAKEN" });
  assert.equal((await it.list()).length, 2);
  it.driver.behave({});
  await it.abort();
  await it.isUndone();
});

test("after a refusal nothing was made, and the abort does not ask again", async (t) => {
  const it = await Transaction.begin(t, { faults: { CreateVolumeGroupSnapshot: { code: status.RESOURCE_EXHAUSTED } } });
  await assert.rejects(it.commit(), { code: "NO_SPACE", message: /RESOURCE_EXHAUSTED/, hint: /Free some space/ });
  await it.abort();
  assert.equal(it.called("CreateVolumeGroupSnapshot"), 1);
  await it.isUndone();
});

test("an abort whose second request is not allowed at all has nothing to undo, and one that meets a full storage does not know", async (t) => {
  const full = await Transaction.begin(t, fails(status.INTERNAL));
  await assert.rejects(full.commit(), { code: "DRIVER_FAILED" });
  full.driver.behave(fails(status.RESOURCE_EXHAUSTED));
  await assert.rejects(full.abort(), { code: "NO_SPACE" });
  assert.equal((await full.list()).length, 2);
  full.driver.behave(fails(status.FAILED_PRECONDITION));
  await full.abort();
  await full.isUndone();
});

test("an exposure and a fork that the driver refuses leave nothing to undo", async (t) => {
  const it = await Transaction.begin(t);
  await it.commit();
  const [snapshot] = await it.seal();
  assert.ok(snapshot !== undefined);
  it.driver.behave({ faults: { CreateVolume: { code: status.RESOURCE_EXHAUSTED } } });
  const view = { access: "read-only", at: tempDir(t) } as const;
  await assert.rejects(provider.expose(snapshot, view, it.ctx()), { code: "NO_SPACE" });
  await assert.rejects(provider.fork?.(snapshot, it.ctx()) ?? Promise.resolve(), { code: "NO_SPACE" });
  const asked = it.called("CreateVolume");
  await provider.unexpose(snapshot, it.ctx());
  await it.abort();
  assert.equal(it.called("CreateVolume"), asked);
  await it.isUndone();
});

test("a fork whose answer was lost is deleted with its set", async (t) => {
  const it = await Transaction.begin(t);
  await it.commit();
  const [snapshot] = await it.seal();
  assert.ok(snapshot !== undefined);
  it.driver.behave({ faults: { CreateVolume: { losesAnswer: true, times: 1 } } });
  await assert.rejects(provider.fork?.(snapshot, it.ctx()) ?? Promise.resolve(), { code: "UNREACHABLE" });
  assert.equal(it.driver.stored().length, 3);
  await it.abort();
  await it.isUndone();
});

test("one single snapshot that fails does not hide the other one from the abort", async (t) => {
  const it = await Transaction.begin(t, { ...single, faults: { CreateSnapshot: { code: status.INTERNAL, times: 1 } } });
  await assert.rejects(it.commit(), { code: "DRIVER_FAILED", message: /CreateSnapshot .* INTERNAL/ });
  assert.equal(it.driver.stored().length, 1);
  await it.abort();
  await it.isUndone();
});

test("a request that the driver has under way already is repeated until it is done", async (t) => {
  const it = await Transaction.begin(t, { faults: { CreateVolumeGroupSnapshot: { code: status.ABORTED, times: 3 } } });
  await it.commit();
  assert.equal(it.called("CreateVolumeGroupSnapshot"), 4);
  assert.deepEqual((await it.seal()).length, 2);
});

test("a request is repeated only before the deadline of its call", async (t) => {
  const it = await Transaction.begin(t, { faults: { CreateVolumeGroupSnapshot: { code: status.ABORTED } } });
  const ctx = it.ctx(1500);
  await assert.rejects(it.commit(ctx), { code: "PENDING", message: /ABORTED/ });
  assert.ok(Date.now() < ctx.deadline);
});

test("a slow driver is given up before the deadline, and the abort finds what it makes later", async (t) => {
  const it = await Transaction.begin(t, { faults: { CreateVolumeGroupSnapshot: { delayMs: 2500, times: 1 } } });
  const ctx = it.ctx(1200);
  await assert.rejects(it.commit(ctx), { code: "TIMED_OUT", message: /CreateVolumeGroupSnapshot/, hint: /limit/ });
  const [call] = it.driver.calls().filter(({ method }) => method === "CreateVolumeGroupSnapshot");
  assert.ok((call?.deadline ?? Infinity) < ctx.deadline, "the driver was told the deadline");
  await it.abort();
  assert.ok(it.called("CreateVolumeGroupSnapshot") > 1);
  await it.isUndone();
});

test("the signal of a call ends its request", async (t) => {
  const it = await Transaction.begin(t, { faults: { CreateVolumeGroupSnapshot: { delayMs: 2000, times: 1 } } });
  await assert.rejects(it.commit(it.ctx(60_000, AbortSignal.timeout(300))), { code: "INTERRUPTED" });
  await it.abort();
  await it.isUndone();
});

test("seal waits for a snapshot that is ready late, whatever the driver can be asked for", async (t) => {
  for (const lacks of [[], [...single.lacks, "GET_SNAPSHOT"], [...single.lacks, "GET_SNAPSHOT", "LIST_SNAPSHOTS"]]) {
    const it = await Transaction.begin(t, { readyAfterMs: 600, lacks });
    await it.commit();
    assert.deepEqual(
      (await it.seal()).map(({ volumeId }) => volumeId),
      ["one", "two"],
    );
    assert.equal((await it.list()).length, 2);
    await it.abort();
    await it.isUndone();
  }
});

test("a snapshot that is not ready before the deadline is an error with the limit to raise, and is removed by the abort", async (t) => {
  const it = await Transaction.begin(t, { readyAfterMs: 3_600_000 });
  await it.commit();
  const ctx = it.ctx(1500);
  await assert.rejects(it.seal(ctx), { code: "NOT_READY", hint: /limits\.seal/ });
  assert.ok(Date.now() < ctx.deadline);
  await it.abort();
  await it.isUndone();
});

test("a group without a snapshot of each volume is refused, and removed", async (t) => {
  const it = await Transaction.begin(t, { forgetsOne: true });
  await assert.rejects(it.commit(), { code: "DRIVER_FAILED", message: /has 0 snapshots/ });
  it.driver.behave({});
  await it.abort();
  await it.isUndone();
});

test("secrets are passed with each request, and a wrong one is an error that does not contain it", async (t) => {
  const secret = { name: "token", value: "a secret" };
  const it = await Transaction.begin(t, { secret }, { secrets: [secret] });
  await it.commit();
  await it.seal();
  it.driver.behave({ secret: { ...secret, value: "another" } });
  await assert.rejects(it.abort(), (error: Error) => {
    assert.equal((error as Error & { code: string }).code, "DENIED");
    assert.doesNotMatch(JSON.stringify(error) + error.message, /a secret/);
    return true;
  });
  it.driver.behave({ secret });
  await it.abort();
  await it.isUndone();
});

test("the snapshots of a group are deleted with the last of them, and are listed until then", async (t) => {
  const it = await Transaction.begin(t);
  await it.commit();
  const [first, last] = await it.seal();
  assert.ok(first !== undefined && last !== undefined);
  await provider.remove(first, it.ctx());
  assert.deepEqual(it.driver.stored(), names(it));
  assert.equal((await it.list()).length, 2);
  await provider.remove(last, it.ctx());
  await it.isUndone();
});

test("a snapshot that was deleted in the storage is listed as lost, and can be removed", async (t) => {
  const it = await Transaction.begin(t, single);
  await it.commit();
  const [first, other] = await it.seal();
  assert.ok(first !== undefined && other !== undefined);
  await it.driver.call("DeleteSnapshot", { snapshotId: String(first.facts?.["snapshot"]), secrets: {} });
  assert.deepEqual(
    (await it.list()).map(({ id, lost }) => [id, lost !== undefined]),
    [
      [first.id, true],
      [other.id, false],
    ],
  );
  it.driver.behave({ ...single, faults: { DeleteSnapshot: { code: status.NOT_FOUND, times: 1 } } });
  await provider.remove(first, it.ctx());
  assert.deepEqual(
    (await it.list()).map(({ id }) => id),
    [other.id],
  );
  await provider.remove(other, it.ctx());
  await it.isUndone();
});

test("a driver that reports that it is not ready takes part in nothing", async (t) => {
  await assert.rejects(Transaction.begin(t, { ready: false }), { code: "UNREACHABLE", message: /not ready/ });
});

test("a driver of another name, and one without snapshots, are refused before anything is touched", async (t) => {
  await assert.rejects(Transaction.begin(t, {}, { driver: "csi.acme.com" }), {
    code: "UNSUPPORTED",
    message: /is csi\.test\.holdstill, and not csi\.acme\.com/,
  });
  const lacks = ["CREATE_DELETE_SNAPSHOT", "GROUP_CONTROLLER_SERVICE"];
  await assert.rejects(Transaction.begin(t, { lacks }), { code: "UNSUPPORTED", message: /cannot take snapshots/ });
});
