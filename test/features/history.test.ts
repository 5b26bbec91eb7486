/** What is to be seen of past transactions: history, writers, and timelines as snapshots. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { PastTransaction, Usual } from "#core/base/schema/types.js";
import { validate } from "#core/base/schema/validate.js";
import type { CliRun } from "../support/process/command-line.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";

async function nights(t: TestContext): Promise<Scene> {
  const stage = new Scene(t);
  assert.equal((await stage.run(["create", "writer:app", "--name", "good"])).exitCode, 0);
  const hangs = { writer: { in: "freeze", does: "hangs" }, limits: { freeze: "400ms" } } as const;
  assert.equal((await stage.run(["create", "writer:app"], hangs)).exitCode, 4);
  assert.equal((await stage.run(["create", path.join(stage.dir, "nowhere")])).exitCode, 3);
  return stage;
}

const pastOf = (ran: CliRun): PastTransaction[] => {
  const { transactions } = ran.json() as { transactions: unknown[] };
  return transactions.map((one) => {
    const checked = validate("history", one, "stdout");
    assert.ok(checked.ok, JSON.stringify(checked));
    return checked.value;
  });
};

test("history has every transaction with its reason, also when its set is gone, and passes over a torn line", async (t) => {
  const stage = await nights(t);
  await stage.run(["delete", "good", "--yes"]);
  appendFileSync(path.join(stage.dir, "state/history.jsonl"), '{"at":"2026-');
  const all = pastOf(await stage.run(["history", "--json"]));
  assert.deepEqual(
    all.map(({ outcome, cause }) => [outcome, cause?.code]),
    [
      ["created", undefined],
      ["aborted", "E_DEADLINE"],
      ["refused", "E_TARGET_UNREADABLE"],
    ],
  );
  const { stdout } = await stage.run(["history", "--failed", "--last", "2"]);
  assert.match(
    stdout,
    /Z {2}aborted, .* in all\n {2}of writer:app\n {4}writer `app` \(writer-that 1\.0\.0\), worker \d+, did not finish freeze/,
  );
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
});

test("writers say what they did last, and for how long", async (t) => {
  const stage = await nights(t);
  const { stdout } = await stage.run(["writers"]);
  assert.match(stdout, /^ {2}last freeze 20\S+ \S+: failed\n {4}writer `app` .* did not finish freeze/m);
  await stage.run(["create", "writer:app"]);
  assert.match((await stage.run(["writers"])).stdout, /^ {2}last freeze 20\S+ \S+: frozen for \d/m);
});

test("a plan says how long its calls usually take, against which limit, and what failed", async (t) => {
  const stage = await nights(t);
  for (const _ of [1, 2])
    assert.equal((await stage.run(["create", "writer:app"], { limits: patientLimits })).exitCode, 0);
  const { stdout } = await stage.run(["plan", "writer:app"]);
  const words = stdout.replaceAll(/\s+/g, " ");
  assert.match(
    words,
    / From the last runs app freeze usually [\d.]+ m?s, limit [\d.]+ s, .*frozen for .*1 of 4 runs failed/,
  );
  assert.match(words, / store commit usually [\d.]+ m?s, limit 30 s, (at most .*)?3 runs /);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  const { usual } = (await stage.run(["plan", "writer:app", "--json"])).json() as { usual: Usual[] };
  assert.deepEqual(
    usual.map(({ actor, op, runs, failed }) => [actor, op, runs, failed]),
    [
      ["app", "freeze", 4, 1],
      ["store", "commit", 3, 0],
    ],
  );
  assert.doesNotMatch((await new Scene(t).run(["plan", "writer:app"])).stdout, /last runs/);
});

test("a timeline is a snapshot that names the culprit, as well-formed XML whatever a plugin says", async (t) => {
  const stage = await nights(t);
  const file = path.join(stage.dir, "why.svg");
  assert.equal(
    (await stage.run(["history", "--failed", "--last", "2", "--timeline", path.join(stage.dir, "refused.svg")]))
      .exitCode,
    0,
  );
  const line = readFileSync(path.join(stage.dir, "state/history.jsonl"), "utf8").split("\n")[1] ?? "";
  const hostile = JSON.parse(line) as PastTransaction;
  hostile.cause = { code: "E_DEADLINE", message: `<script>alert("1")</script> & \u0007 'x'` };
  writeFileSync(path.join(stage.dir, "state/history.jsonl"), `${JSON.stringify(hostile)}\n`);
  assert.equal((await stage.run(["history", "--timeline", file])).exitCode, 0);
  const svg = readFileSync(file, "utf8");
  assert.ok(!svg.includes("<script"));
  assert.match(svg, /✗ app: freeze/);
  execFileSync("python3", ["-c", "import sys, xml.dom.minidom as x; x.parse(sys.argv[1])", file]);

  const html = path.join(stage.dir, "set.html");
  assert.equal((await stage.run(["show", "good", "--timeline", html])).exitCode, 0);
  assert.match(readFileSync(html, "utf8"), /^<!doctype html>[^]*From freeze to thaw, [^]*app: thaw/);
  assert.match(readFileSync(html, "utf8"), /prefers-color-scheme:dark[^]*<body/);
  assert.doesNotMatch(readFileSync(html, "utf8"), /(?:src|href)=/, "it needs nothing but itself");
  assert.equal((await stage.run(["show", "good", "--timeline", path.join(stage.dir, "x.png")])).exitCode, 2);
  assert.ok(!existsSync(path.join(stage.dir, "x.png")));
  assert.equal(statSync(path.join(stage.dir, "state/history.jsonl")).mode & 0o077, 0);
});
