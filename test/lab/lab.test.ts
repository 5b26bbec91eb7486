/** The proof that the laboratory can fail, and cleans up after itself. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabEvent } from "./events.js";
import { found } from "./found.js";
import { GuestFailed, KernelFailed, runInGuest } from "./guest.js";
import { retell } from "./retell.js";
import { tempDir } from "../support/storage/temp.js";

test("what fails in a guest fails here, with its error, and the other files still run", async (t) => {
  const kernel = await found(t, "6.1");
  if (kernel === undefined) return;
  const leftovers = own(t);
  const told: LabEvent[] = [];
  const files = [fixture("fails"), fixture("never-ends")];
  for await (const event of runInGuest(kernel, files, { fileSeconds: 30, silenceSeconds: 120 })) told.push(event);
  const tests = told.flatMap((event) => ("detail" in event ? [`${event.event} ${event.name}`] : []));
  assert.deepEqual(tests, [
    "passed passes",
    "failed fails",
    "skipped is skipped",
    "failed has one within > that fails",
    "failed has one within",
  ]);
  assert.match(JSON.stringify(told), /one is not two/);
  const ends = told.flatMap((event) => (event.event === "ended" ? [`${event.file}: ${event.why}`] : []));
  assert.deepEqual(ends, ["fails.js: exit code 1", "never-ends.js: ran for more than 30 s"]);
  assert.deepEqual(leftovers(), []);
});

test("a guest that hangs is killed, its console is shown, and nothing of it is left", async (t) => {
  const kernel = await found(t, "6.1");
  if (kernel === undefined) return;
  const leftovers = own(t);
  const run = async (): Promise<void> => {
    for await (const _ of runInGuest(kernel, [fixture("hangs")], { fileSeconds: 5, silenceSeconds: 30 }));
  };
  await assert.rejects(run(), (error) => {
    assert.ok(error instanceof GuestFailed);
    assert.match(error.message, /told nothing for 30 s and was killed.*this guest hangs now/s);
    return true;
  });
  assert.deepEqual(leftovers(), []);
});

test("a guest whose kernel fails is booted once more, and no more", async (t) => {
  const kernel = await found(t, "6.1");
  if (kernel === undefined) return;
  const leftovers = own(t);
  let boots = 0;
  const boot = (): ReturnType<typeof runInGuest> => {
    boots += 1;
    return runInGuest(kernel, [fixture("kernel-fails")], { fileSeconds: 30, silenceSeconds: 120 });
  };
  await assert.rejects(retell(t, boot), KernelFailed);
  assert.equal(boots, 2);
  assert.deepEqual(leftovers(), []);
});

test("a guest ends with the process that started it, also when that is killed with SIGKILL", async (t) => {
  if ((await found(t, "6.1")) === undefined) return;
  const leftovers = own(t);
  const lab = spawn(process.execPath, [path.join(import.meta.dirname, "main.js")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(lab.stdout, "data");
  assert.ok(leftovers().length > 1, "no guest was found");
  lab.kill("SIGKILL");
  await once(lab, "exit");
  const guests = (): string[] => leftovers().filter((name) => /^\d+$/.test(name));
  for (let tries = 100; tries > 0 && guests().length > 0; tries -= 1) await sleep(100);
  assert.deepEqual(guests(), []);
});

function fixture(name: string): string {
  return path.join(import.meta.dirname, `fixtures/${name}.js`);
}

/** Gives the guests of this test a folder of their own, and answers how to find what is left in it and which guests still use it. */
function own(t: TestContext): () => string[] {
  const folder = tempDir(t);
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  t.after(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  });
  return () => [...readdirSync(folder), ...readdirSync("/proc").filter((name) => commandOf(name).includes(folder))];
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
