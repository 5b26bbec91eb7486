import assert from "node:assert/strict";
import test from "node:test";
import type { Ended } from "#core/requester/types.js";
import type { Event, Fault } from "#core/schema/types.js";
import { Stage } from "../rig/stage.js";

test("of two transactions on one volume the second waits, is told who owns it, and then runs", async (t) => {
  const stage = new Stage(t);
  const slow = stage.run(["create", "writer:app", "--json"], {
    provider: { in: "prepare", does: "late", delayMs: 1500 },
  });
  await called(stage, "prepare");
  const second = await stage.run(["create", "writer:app", "--json=stream"]);
  const first = (await slow).json() as Ended;

  const events = second.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
  const queued = events.find((event) => event.type === "queued");
  assert.equal(queued?.owner.transaction, first.set?.id);
  assert.equal(events.at(-1)?.type, "ended");
  assert.equal(second.exitCode, 0, second.stderr);
  assert.equal(stage.stored().length, 2);
});

test("a transaction that waited as long as it may is refused, and the message names the owner", async (t) => {
  const stage = new Stage(t);
  const slow = stage.run(["create", "writer:app"], { provider: { in: "prepare", does: "late", delayMs: 1500 } });
  await called(stage, "prepare");
  const second = await stage.run(["create", "writer:app", "--json"], { limits: { queue: "200ms" } });
  const { error } = second.json() as { error: Fault };
  assert.equal(second.exitCode, 3, second.stderr);
  assert.equal(error.code, "E_VOLUME_BUSY");
  assert.match(error.message, /belongs to transaction \d{8}-\d{6}-[0-9a-f]{6} \(pid \d+/);
  assert.equal((await slow).exitCode, 0);
});

async function called(stage: Stage, op: string): Promise<void> {
  while (!stage.calls("store").includes(op)) await new Promise((resolve) => setTimeout(resolve, 20));
}
