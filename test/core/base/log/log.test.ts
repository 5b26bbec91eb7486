import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { createLog } from "#core/base/log/log.js";
import { KEPT } from "#core/base/log/sink.js";
import { runScript } from "../../../support/process/run-script.js";
import { tempDir } from "../../../support/storage/temp.js";

interface Line {
  level: string;
  time: string;
  message: string;
  [field: string]: unknown;
}
const linesOf = (file: string): Line[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);

test("a line says when, how bad, what, and who", async (t) => {
  const file = path.join(tempDir(t), "log");
  const log = createLog({ level: "info", file });
  log.child({ transaction: "t1", phase: "freeze", instance: "pg", plugin: "writer-postgres" }).warn("slow", { ms: 12 });
  log.debug("not asked for");
  await log.close();
  const [line, ...more] = linesOf(file);
  assert.deepEqual(more, []);
  assert.match(line?.time ?? "", /^\d{4}-\d\d-\d\dT/);
  const { time: _, ...rest } = line ?? {};
  assert.deepEqual(rest, {
    level: "warn",
    message: "slow",
    ms: 12,
    transaction: "t1",
    phase: "freeze",
    instance: "pg",
    plugin: "writer-postgres",
  });
});

test("while it is paused the log writes nothing, and onEnd everything in order", async (t) => {
  const file = path.join(tempDir(t), "log");
  const log = createLog({ level: "info", file });
  log.info("before");
  await log.pause();
  assert.deepEqual(
    linesOf(file).map(({ message }) => message),
    ["before"],
  );
  log.info("during");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(
    linesOf(file).map(({ message }) => message),
    ["before"],
  );
  log.resume();
  log.info("after");
  await log.close();
  assert.deepEqual(
    linesOf(file).map(({ message }) => message),
    ["before", "during", "after"],
  );
  assert.equal(log.dropped(), 0);
});

test("what cannot be kept is dropped and counted", async (t) => {
  const file = path.join(tempDir(t), "log");
  const log = createLog({ level: "info", file });
  await log.pause();
  for (let n = 0; n < KEPT.lines + 5; n += 1) log.info("x");
  assert.equal(log.dropped(), 5);
  await log.close();
  assert.equal(linesOf(file).length, KEPT.lines);
});

test("a log that is closed takes no more lines and fails nobody", async (t) => {
  const log = createLog({ level: "info", file: path.join(tempDir(t), "log") });
  await log.close();
  log.info("too late");
  await log.close();
  assert.equal(log.dropped(), 1);
});

test("without a file nothing is logged", async () => {
  const log = createLog({ level: "debug" });
  log.error("nobody reads this");
  await log.close();
});

test("a file that cannot be opened is said at once", () => {
  assert.throws(() => createLog({ level: "info", file: "/no/such/folder/log" }), {
    code: "E_USAGE",
    message: /ENOENT/,
  });
});

test("a disk that is full costs lines, and does not end the process", async () => {
  const log = createLog({ level: "info", file: "/dev/full" });
  log.info("no room");
  await log.close();
  assert.ok(log.dropped() > 0);
});

test("the log goes to stderr where it is wanted, and never to stdout", async () => {
  const { stdout, stderr, exitCode } = await runScript(
    `import { createLog } from ${JSON.stringify(import.meta.resolve("#core/base/log/log.js"))};
     const log = createLog({ level: "info", stderr: true });
     log.info("seen");
     await log.close();`,
  );
  assert.deepEqual({ stdout, exitCode }, { stdout: "", exitCode: 0 });
  assert.match(stderr, /"message":"seen"/);
});
