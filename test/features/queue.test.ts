import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import test from "node:test";
import type { Event, Fault } from "#core/base/schema/types.js";
import type { CliRun } from "../support/process/command-line.js";
import { Scene } from "../support/fixture/scene.js";

/** A create that owns the volume until it is interrupted. */
async function owning(stage: Scene): Promise<{ owner: ChildProcess; ended: Promise<CliRun> }> {
  const hangs = { provider: { in: "prepare", does: "hangs" }, limits: { prepare: "60s" } } as const;
  let owner: ChildProcess | undefined;
  const ended = stage.run(["create", "writer:app"], hangs, { onStart: (child) => (owner = child) });
  while (!stage.calls("store").includes("prepare")) await new Promise((resolve) => setTimeout(resolve, 20));
  if (owner === undefined) throw new Error("it was not started");
  return { owner, ended };
}

test("of two transactions on one volume the second waits, is told who owns it, and then runs", async (t) => {
  const stage = new Scene(t);
  const { owner, ended } = await owning(stage);
  const second = await stage.run(
    ["create", "writer:app", "--json=stream"],
    {},
    {
      onStart: ({ stdout }) => stdout?.on("data", (text: string) => text.includes('"queued"') && owner.kill("SIGINT")),
    },
  );
  const lines = second.stdout.trim().split("\n");
  const events = lines.map((line) => JSON.parse(line) as Event);
  assert.equal(events.find((event) => event.type === "queued")?.owner.pid, owner.pid);
  assert.equal(events.at(-1)?.type, "ended");
  assert.equal(second.exitCode, 0, second.stderr);
  assert.equal((await ended).exitCode, 130);
  assert.equal(stage.stored().length, 1);
});

test("a transaction that waited as long as it may is refused, and the message names the owner", async (t) => {
  const stage = new Scene(t);
  const { owner, ended } = await owning(stage);
  const second = await stage.run(["create", "writer:app", "--json"], { limits: { queue: "200ms" } });
  const { error } = second.json() as { error: Fault };
  assert.equal(second.exitCode, 3, second.stderr);
  assert.equal(error.code, "E_VOLUME_BUSY");
  assert.match(error.message, new RegExp(`belongs to transaction \\S+ \\(pid ${owner.pid},`));
  owner.kill("SIGINT");
  assert.equal((await ended).exitCode, 130);
});
