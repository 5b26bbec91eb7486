/** The wire between core and keeper, how the keeper is started, and how its report is judged. */
import assert from "node:assert/strict";
import test from "node:test";
import { keeperCommands } from "#core/keeper/client/spawn.js";
import { lapseError, type SectionReport } from "#core/keeper/client/client.js";
import { holdError } from "#core/keeper/client/outcome.js";
import { decoder, encode, type ArmTarget } from "#core/keeper/wire.js";

test("messages are found however the stream is split", () => {
  const received: unknown[] = [];
  const receive = decoder((message) => received.push(message));
  const text = encode({ type: "hold", limitMs: 10 }) + encode({ type: "beat" });
  for (const character of text) receive(character);
  assert.deepEqual(received, [{ type: "hold", limitMs: 10 }, { type: "beat" }]);
});

test("with systemd, the keeper starts in its own scope; without systemd, or if that fails, directly", () => {
  const [scope, direct, ...others] = keeperCommands(true);
  assert.deepEqual(scope?.slice(0, 2), ["/usr/bin/systemd-run", "--scope"]);
  assert.deepEqual(scope?.slice(-(direct?.length ?? 0)), direct);
  assert.deepEqual(others, []);
  assert.equal(keeperCommands(false).length, 1);
});

const armTarget: ArmTarget = { target: { kind: "fs", mount: "/srv" }, identity: null, rank: 0 };
const report: SectionReport = { targets: [], heldMs: 1, reason: "failed" };

const messageOf = (failure: Parameters<typeof holdError>[0]["failure"], missing: number[] = []): string =>
  holdError({ report, failure, missing, unanswered: [] }, [armTarget], { limitMs: 1000 }).message;

test("a failed section is an error that names the target or operation at fault", () => {
  assert.match(messageOf({ type: "busy", index: 0 }), /^\/srv is already frozen or suspended by another process/);
  assert.match(messageOf({ type: "refused", index: 0, reason: "EIO" }), /at \/srv: EIO/);
  assert.match(messageOf({ type: "op", name: "dm-load x", reason: "EINVAL" }), /at dm-load x: EINVAL/);
  assert.match(messageOf({ type: "fault", reason: "it ended" }), /it ended/);
  assert.match(messageOf(null, [0]), /^\/srv could not be held within 1.0 s/);
});

test("a release that the core did not request, or a lost hold, is a lapse", () => {
  const held = { target: armTarget.target, heldAt: 1, releasedAt: 2, inForce: true };
  assert.equal(lapseError({ ...report, targets: [held], reason: "requested" }), null);
  assert.match(lapseError({ ...report, targets: [held], reason: "silence" })?.message ?? "", /received nothing/);
  const lost = { ...held, inForce: false, problem: "another process has released it" };
  assert.match(
    lapseError({ ...report, targets: [lost], reason: "requested" })?.message ?? "",
    /another process has released it/,
  );
});
