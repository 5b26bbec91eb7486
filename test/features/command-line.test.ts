import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { TransactionResult } from "#core/engine/types.js";
import type { Event, SnapshotSet } from "#core/base/schema/types.js";
import { validate } from "#core/base/schema/validate.js";
import { holdstill } from "../support/process/command-line.js";
import { type Misbehaviours, sceneConfig } from "../support/fixture/scene-config.js";
import { tempDir } from "../support/storage/temp.js";
import { unwrapped } from "../support/process/unwrapped.js";

test("a set is made, listed, shown, exposed, completed, unexposed and deleted", async (t) => {
  const dir = tempDir(t);
  const { config, data } = sceneConfig(dir);
  const on = (...args: string[]): ReturnType<typeof holdstill> => holdstill([...args, "--config", config]);
  const made = await on("create", data, "--name", "nightly", "--tag", "job=7", "--require", "application");
  assert.equal(made.exitCode, 0, made.stderr);
  const [, id = ""] = /^Set (\S+) \(nightly\), /.exec(made.stdout) ?? [];
  assert.match(made.stdout, /^ {2}app\/app {2}application$/m);
  assert.match(made.stdout, /^From freeze to thaw: /m);
  assert.match(made.stderr, /^freeze \(applications hold still\), limit 20 s$/m);
  assert.match(made.stderr, /^ {2}app: freeze took .* of 10 s$/m);

  assert.equal((await on("list", "--quiet")).stdout, `${id}\n`);
  const shown = await on("show", "nightly");
  assert.match(shown.stdout, /^ {2}app \(writer-that 1\.0\.0\), required: frozen from /m);
  assert.match(shown.stdout, /^ {6}notes\.txt {2}30 B {2}sha256 /m);
  assert.match(shown.stdout, /^ {2}job=7$/m);
  const exposed = await on("expose", "latest", "--quiet");
  assert.equal(readFileSync(path.join(exposed.stdout.trim(), "file"), "utf8"), "content");
  assert.equal((await on("complete", "nightly", "--succeeded")).exitCode, 0);
  const unexposed = JSON.parse((await on("unexpose", "nightly", "--json")).stdout) as SnapshotSet;
  assert.deepEqual(unexposed.exposed, []);
  assert.equal(unexposed.outcome?.succeeded, true);

  const asked = await on("delete", "nightly");
  assert.equal(asked.exitCode, 2);
  assert.match(
    asked.stderr,
    /This command requires confirmation\. It would: delete set .* with 1 snapshot\.\n→ Run it again with --yes\.\n$/,
  );
  const gone = await on("delete", "nightly", id, "--yes");
  assert.deepEqual([gone.stdout, gone.exitCode], [`Set ${id} is deleted.\n`, 0]);
  assert.equal((await on("list")).stdout, "There are no snapshot sets.\n");
});

test("plan, writers, providers and plugins list look, and leave no trace", async (t) => {
  const dir = tempDir(t);
  const { config, data } = sceneConfig(dir);
  const on = (...args: string[]): ReturnType<typeof holdstill> => holdstill([...args, "--config", config]);
  const plan = await on("plan", data);
  assert.match(plan.stdout, /^Promised consistency application, none asked; cut fuzzy$/m);
  assert.match(plan.stdout, /^ {2}back-end {2}app {2}writer-that 1\.0\.0 {2}required {2}app$/m);
  assert.match((await on("writers")).stdout, /^app \(writer-that 1\.0\.0\), required\n {2}app {2}files {2}fuzzy /);
  assert.equal((await on("providers")).stdout, "provider-that (provider-that 1.0.0): no snapshots\n");
  const plugins = await on("plugins", "list");
  assert.match(plugins.stdout, /^Candidates for app\n {2}taken +writer-that 1\.0\.0: /m);
  assert.doesNotMatch((await on("plugins", "list", "--json")).stdout, /"options"/);
  const below = await holdstill(["plan", dir, "--config", config, "--require", "application"]);
  assert.deepEqual([below.stdout, below.exitCode], ["", 3]);
  assert.deepEqual(readdirSync(path.join(dir, "state/transactions")), []);
});

const endings: { name: string; script: Misbehaviours; exitCode: number; stderr: RegExp; stdout: RegExp }[] = [
  {
    name: "a writer that does not freeze in time",
    script: { writer: { in: "freeze", does: "hangs" } },
    exitCode: 4,
    stderr: /^holdstill: writer `app` \(writer-that 1\.0\.0\), worker \d+, did not finish freeze within 0\.5 s\.\n→ /m,
    stdout: /^✗ app +freeze .* of 500 ms +█+$/m,
  },
  {
    // The process could not end by itself: a thread of its own hangs.
    name: "a writer that hangs in the kernel",
    script: { writer: { in: "freeze", does: "blocks" } },
    exitCode: 4,
    stderr: /did not finish freeze within 0\.5 s/,
    stdout: /there is no set$/m,
  },
  {
    name: "a writer whose freeze was lost",
    script: { writer: { in: "thaw", does: "throws" } },
    exitCode: 5,
    stderr: /^holdstill: The set has consistency none, but application was asked for\.$/m,
    stdout: /^ {2}app\/app {2}none +writer `app` \(writer-that 1\.0\.0\) failed in thaw/m,
  },
  {
    name: "a provider that cannot undo",
    script: { writer: { in: "seal", does: "throws" }, provider: { in: "abort", does: "throws" } },
    exitCode: 6,
    stderr: /left something that could not be undone\.\n {2}provider-that: abort: .*\n→ Run `holdstill recover`/,
    stdout: /^✗ provider-that +abort /m,
  },
];

for (const { name, script, exitCode, stderr, stdout } of endings) {
  test(`after ${name} the command ends with ${exitCode} and says who it was`, async (t) => {
    const dir = tempDir(t);
    const { config, data } = sceneConfig(dir, script);
    const ran = await holdstill(["create", data, "--config", config]);
    assert.equal(ran.exitCode, exitCode, ran.stderr);
    assert.match(ran.stderr, stderr);
    assert.match(ran.stdout, stdout);
    assert.equal(existsSync(path.join(dir, "app/frozen")), false);
    for (const line of ran.stdout.split("\n")) assert.ok(line.length <= 80, line);
  });
}

test("what could not be undone is shown by recover, and undone with --yes", async (t) => {
  const dir = tempDir(t);
  const { config, data } = sceneConfig(dir, {
    writer: { in: "seal", does: "throws" },
    provider: { in: "abort", does: "throws" },
  });
  assert.equal((await holdstill(["create", data, "--config", config])).exitCode, 6);
  const mended = sceneConfig(dir).config;
  const seen = await holdstill(["recover", "--dry-run", "--config", mended]);
  assert.match(unwrapped(seen.stdout), /^This is left: undo transaction .* with provider-that\n$/);
  assert.equal((await holdstill(["recover", "--config", mended])).exitCode, 2);
  const done = await holdstill(["recover", "--yes", "--config", mended]);
  assert.equal(done.exitCode, 0);
  assert.match(done.stdout, /^Done: undo transaction /);
  assert.equal((await holdstill(["recover", "--config", mended])).stdout, "Nothing is left over.\n");
});

test("the first signal aborts and undoes, and a second one changes nothing", async (t) => {
  const dir = tempDir(t);
  const { config, data } = sceneConfig(dir, { provider: { in: "commit", does: "late", delayMs: 20_000 } });
  const sent = new Set<string>();
  const once = (signal: NodeJS.Signals, kill: () => unknown): void => {
    if (!sent.has(signal)) kill();
    sent.add(signal);
  };
  const ran = await holdstill(["create", data, "--config", config], {
    onStderr(text, child) {
      if (text.includes("commit (")) once("SIGINT", () => child.kill("SIGINT"));
      if (text.includes("SIGINT: aborting")) once("SIGTERM", () => child.kill("SIGTERM"));
    },
  });
  assert.equal(ran.exitCode, 130);
  assert.match(ran.stderr, /^holdstill: SIGTERM: the abort is already in progress/m);
  assert.match(ran.stderr, /^holdstill: Interrupted by SIGINT\. The transaction was aborted\.$/m);
  assert.equal(existsSync(path.join(dir, "app/frozen")), false);
  assert.deepEqual(readdirSync(path.join(dir, "store")), ["calls.log"]);
});

test("--json=stream tells every step as a valid event, `ended` last and once; --json the end alone", async (t) => {
  const dir = tempDir(t);
  const { config, data } = sceneConfig(dir);
  const good = eventsOf((await holdstill(["create", data, "--json=stream", "--config", config])).stdout);
  assert.equal(good[0]?.type, "begun");
  assert.equal(good.at(-1)?.type, "ended");
  const refused = await holdstill(["create", path.join(dir, "nowhere"), "--json=stream", "--config", config]);
  const badConfig = await holdstill(["create", data, "--json=stream", "--config", path.join(dir, "nowhere.yaml")]);
  for (const [{ stdout, exitCode }, expected] of [
    [refused, 3],
    [badConfig, 2],
  ] as const) {
    assert.equal(exitCode, expected);
    const events = eventsOf(stdout);
    assert.deepEqual(
      events.map((event) => event.type === "ended" && [event.outcome, event.exitCode]),
      [["refused", expected]],
    );
  }
  const { stdout, stderr } = await holdstill(["create", data, "--json", "--config", config]);
  const ended = JSON.parse(stdout) as TransactionResult;
  assert.deepEqual([ended.outcome, ended.exitCode, ended.set?.consistency, stderr], ["created", 0, "application", ""]);
});

test("--quiet prints the set's id and nothing else", async (t) => {
  const { config, data } = sceneConfig(tempDir(t));
  const { stdout, stderr } = await holdstill(["create", data, "-q", "--config", config]);
  assert.match(stdout, /^\d{8}-\d{6}-[0-9a-f]{6}\n$/);
  assert.equal(stderr, "");
});

test("a reader that goes away does not stop a transaction", async (t) => {
  const dir = tempDir(t);
  const { config, data } = sceneConfig(dir);
  const { exitCode } = await holdstill(["create", data, "--json=stream", "--config", config], {
    onStart: (child) => child.stdout?.destroy(),
  });
  assert.equal(exitCode, 0);
  assert.equal(readdirSync(path.join(dir, "state/sets")).length, 1);
});

function eventsOf(stdout: string): Event[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const checked = validate("event", JSON.parse(line), "stdout");
      assert.ok(checked.ok, `${line}\n${JSON.stringify(checked)}`);
      return checked.value;
    });
}
