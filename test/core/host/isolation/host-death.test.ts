/** Plugins whose host ends, is interrupted or is killed. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { specOf } from "../../../support/fixture/misbehaving-plugins.js";
import { isAlive } from "../../../support/process/is-alive.js";
import { runScript } from "../../../support/process/run-script.js";
import { tempDir } from "../../../support/storage/temp.js";
import { fullTransaction, type FullTransaction } from "../../../support/fixture/writer-transaction.js";

const LIMIT_MS = 10_000;
const remote = JSON.stringify(import.meta.resolve("#core/host/isolation/host/start-session.js"));
const tx = (dir: string): FullTransaction =>
  fullTransaction({ id: "t1", cut: "fuzzy", components: [], sidecarDir: dir });

test("a plugin process that spins ends with its host", async (t) => {
  const dir = tempDir(t);
  const spec = specOf("writer", "process", dir, { in: "freeze", does: "spins" });
  const { stdout } = await runScript(`
    import { startSession } from ${remote};
    import { setTimeout as sleep } from "node:timers/promises";
    const session = await startSession(${JSON.stringify(spec)}, { onLog() {}, onProgress() {} }, ${LIMIT_MS});
    session.call("freeze", [${JSON.stringify(tx(dir))}], ${LIMIT_MS});
    await sleep(300);
    console.log(session.worker);
    process.kill(process.pid, "SIGKILL");`);
  await assertEnds(Number(stdout));
});

test("a plugin process survives the Ctrl-C that its host decides about, and ends with its host", async (t) => {
  const dir = tempDir(t);
  const entry = path.join(dir, "index.mjs");
  // With a timer it would live on by itself.
  writeFileSync(
    entry,
    `setInterval(() => {}, 1000);
     export default { identify() {}, thaw() {}, abort() {}, async freeze() { return "token"; } };`,
  );
  const { stdout } = await runScript(`
    import { startSession } from ${remote};
    const session = await startSession(${JSON.stringify({ ...specOf("writer", "process", dir), entry })}, { onLog() {}, onProgress() {} }, ${LIMIT_MS});
    process.kill(session.worker, "SIGINT");
    await session.call("freeze", [${JSON.stringify(tx(dir))}], ${LIMIT_MS});
    console.log(session.worker);
    process.kill(process.pid, "SIGKILL");`);
  await assertEnds(Number(stdout));
});

for (const runtime of ["thread", "process"] as const) {
  test(`a host ends by itself, whenever it gave up the start of a ${runtime}`, async (t) => {
    const { exitCode } = await runScript(`
    import { startSession } from ${remote};
    for (let delayMs = 0; delayMs < 60; delayMs += 2) {
      const signal = AbortSignal.timeout(delayMs);
      const spec = ${JSON.stringify(specOf("writer", runtime, tempDir(t)))};
      const session = startSession(spec, { onLog() {}, onProgress() {} }, ${LIMIT_MS}, signal);
      await session.then((open) => open.close(), () => {});
    }`);
    assert.equal(exitCode, 0);
  });
}

async function assertEnds(pid: number): Promise<void> {
  assert.ok(pid > 0);
  for (let tries = 0; isAlive(pid) && tries < 300; tries += 1) await new Promise((r) => setTimeout(r, 10));
  const lives = isAlive(pid);
  if (lives) process.kill(pid, "SIGKILL");
  assert.equal(lives, false);
}
