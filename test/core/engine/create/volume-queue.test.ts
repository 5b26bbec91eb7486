import assert from "node:assert/strict";
import test from "node:test";
import { type QueuePosition, type VolumeClaim, VolumeQueue } from "#core/engine/create/volume-queue.js";

interface Claim {
  claim: VolumeClaim;
  positions: QueuePosition[];
}

function claimOf(transaction: string, volumes: string[], more: Partial<VolumeClaim> = {}): Claim {
  const positions: QueuePosition[] = [];
  const owner = { pid: process.pid, transaction, since: "2026-01-02T03:04:05.000Z" };
  const { signal } = new AbortController();
  return {
    claim: { volumes, owner, limitMs: 30_000, signal, onPosition: (at) => positions.push(at), ...more },
    positions,
  };
}

test("transactions of other volumes do not wait for each other", async () => {
  const queue = new VolumeQueue();
  const [a, b] = [queue.enter(["/a"]), queue.enter(["/b"])];
  assert.equal(await a.take(claimOf("a", ["8:1"]).claim), "at-once");
  assert.equal(await b.take(claimOf("b", ["8:2"]).claim), "at-once");
});

test("on one volume they are served in the order in which they were asked, and hear whom they wait for", async () => {
  const queue = new VolumeQueue();
  const served: string[] = [];
  const turns = ["a", "b", "c"].map((name) => ({ name, turn: queue.enter([name]), ...claimOf(name, ["8:1"]) }));
  await Promise.all(
    turns.map(async ({ name, turn, claim }) => {
      const how = await turn.take(claim);
      served.push(`${name} ${how}`);
      turn.leave();
    }),
  );
  assert.deepEqual(served, ["a at-once", "b after-others", "c after-others"]);
  const heard = turns.map(({ positions }) =>
    positions.map(({ owner, position }) => `${position} after ${owner.transaction}`),
  );
  assert.deepEqual(heard, [[], ["1 after a"], ["2 after a", "1 after b"]]);
});

test("one that still plans the same targets is not overtaken, and one of other targets is", async () => {
  const queue = new VolumeQueue();
  const planning = queue.enter(["/srv"]);
  const [same, other] = [queue.enter(["/srv"]), queue.enter(["/home"])];
  let overtaken = false;
  const late = same.take(claimOf("late", ["8:1"]).claim).then(() => (overtaken = true));
  await other.take(claimOf("other", ["8:2"]).claim);
  assert.equal(overtaken, false);
  await planning.take(claimOf("first", ["8:3"]).claim);
  await late;
});

test("the limit ends the wait with the name of the owner, and a signal ends it with its reason", async () => {
  const queue = new VolumeQueue();
  await queue.enter(["/a"]).take(claimOf("owner", ["8:1"]).claim);
  await assert.rejects(queue.enter(["/b"]).take(claimOf("late", ["8:1"], { limitMs: 20 }).claim), (error) => {
    const { code, details } = error as { code?: string; details?: { owner?: { transaction: string } } };
    assert.deepEqual([code, details?.owner?.transaction], ["E_VOLUME_BUSY", "owner"]);
    return true;
  });
  const controller = new AbortController();
  const wait = queue.enter(["/c"]).take(claimOf("c", ["8:1"], { signal: controller.signal }).claim);
  controller.abort(new Error("Ctrl-C"));
  await assert.rejects(wait, /Ctrl-C/);
});
