/** The proof that the laboratory can fail, and cleans up after itself. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { runInGuests } from "./batches.js";
import { found } from "./found.js";
import { KernelFailed, runInGuest } from "./guest.js";
import { onceMore } from "./kernel-failure.js";
import { onEnd } from "../support/process/on-end.js";
import { startMachine } from "./machine.js";
import { tempDir } from "../support/storage/temp.js";

test("what fails in a guest fails here, with its error, and the other files still run", async (t) => {
  const kernel = await found(t, "6.1");
  if (kernel === undefined) return;
  const leftovers = own(t);
  const files = [fixture("fails"), fixture("never-ends")];
  const told = await onceMore(
    t,
    async () => await all(runInGuest(kernel, files, { fileSeconds: 20, silenceSeconds: 120 })),
  );
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
  assert.deepEqual(ends, ["fails.js: exit code 1", "never-ends.js: ran for more than 20 s"]);
  assert.deepEqual(leftovers(), []);
});

test("a guest that hangs is killed, its console is shown, and nothing of it is left", async (t) => {
  const kernel = await found(t, "6.1");
  if (kernel === undefined) return;
  const leftovers = own(t);
  const run = async (): Promise<unknown> =>
    await all(runInGuest(kernel, [fixture("hangs")], { fileSeconds: 5, silenceSeconds: 20 }));
  await assert.rejects(onceMore(t, run, hangs), (error) => {
    assert.ok(error instanceof KernelFailed);
    assert.match(
      error.message,
      /told nothing for 20 s and was killed; its processes were:\n\d+ \S linux\.uml .*this guest hangs now/s,
    );
    return true;
  });
  assert.deepEqual(leftovers(), []);
});

for (const [fails, outcome] of [
  [1, ["kernel failed", "passed the kernel lasts", "ended kernel-fails.js: exit code 0"]],
  [2, ["kernel failed", "kernel failed", "ended kernel-fails.js: the kernel failed twice"]],
] as const) {
  test(`a file is run once more when the kernel fails, here ${fails} times, and the files beside it are run once`, async (t) => {
    const kernel = await found(t, "6.1");
    if (kernel === undefined) return;
    const leftovers = own(t);
    const limits = { fileSeconds: 30, silenceSeconds: 120 };
    let boots = 0;
    const boot = (files: readonly string[]): ReturnType<typeof runInGuest> => {
      boots += 1;
      return runInGuest(kernel, files, limits, undefined, { LAB_BOOTS: `${boots}`, LAB_FAILS: `${fails}` });
    };
    const files = ["passes", "kernel-fails", "passes"].map(fixture);
    const told = (await all(runInGuests(files, boot))).flatMap((event) => {
      if (event.event === "ended") return [`ended ${event.file}: ${event.why.replace(/:.*/s, "")}`];
      if (event.event === "kernel failed") return [event.event];
      return "detail" in event ? [`${event.event} ${event.name}`] : [];
    });
    const beside = ["passed passes", "ended passes.js: exit code 0"];
    assert.deepEqual(told, [...beside, ...outcome, ...beside]);
    assert.deepEqual(leftovers(), []);
  });
}

test("the processes of a guest end with its kernel, and do not run on here", async (t) => {
  const kernel = await found(t, "6.1");
  if (kernel === undefined) return;
  const job = { LAB_MODE: "tests", LAB_KERNEL: kernel.name, LAB_FILES: fixture("hangs"), LAB_FILE_LIMITS: "60" };
  const machine = startMachine(kernel, job, ["con0=null,fd:1", "ssl0=null"], ["ignore", "pipe", "pipe", "ignore"]);
  onEnd(t, async () => await machine.stop());
  let said = "";
  for (const stream of [machine.process.stdout, machine.process.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
  for (let tries = 600; tries > 0 && !said.includes("this guest hangs now"); tries -= 1) await sleep(100);
  assert.match(said, /this guest hangs now\s*$/);
  machine.process.kill("SIGKILL");
  await once(machine.process, "exit");
  await sleep(1000);
  assert.match(said, /this guest hangs now\s*$/);
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

/** One that dies of a fault of its own instead has not hung. */
const hangs = ({ how }: KernelFailed): boolean => how === "hangs";

async function all<T>(events: AsyncGenerator<T, void>): Promise<T[]> {
  const told: T[] = [];
  for await (const event of events) told.push(event);
  return told;
}

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
