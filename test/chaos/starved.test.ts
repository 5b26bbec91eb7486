/** Nobody reads what holdstill says, and its disk is full: applications do not wait for either. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onEnd } from "../support/process/on-end.js";
import { holdstill, program } from "../support/process/command-line.js";
import { freezables, thaw } from "../support/storage/freezable.js";
import { mount } from "../support/storage/loop-device.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";

/** A pipe that is full, and the end that it is read from. */
function fullPipe(dir: string): number {
  const fifo = path.join(dir, "full");
  execFileSync("mkfifo", [fifo]);
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  const block = Buffer.alloc(4096, "x");
  try {
    for (;;) writeSync(fd, block);
  } catch {
    return fd;
  }
}

for (const [name, args, stdio] of [
  ["stderr", ["--verbose"], 2],
  ["stdout, with the stream of events,", ["--json=stream"], 1],
] as const) {
  test(`a full pipe as ${name} keeps no application frozen and no volume held`, async (t) => {
    const mounts = freezables(t, 1, ["ext4"]);
    if (mounts === null) return;
    const stage = new Scene(t);
    const config = stage.configFile({ provider: { hold: mounts, pointInTime: true }, limits: patientLimits });
    const pipe = fullPipe(stage.dir);
    onEnd(t, () => closeSync(pipe));
    const streams = ["ignore", "ignore", "ignore"] as ("ignore" | number)[];
    streams[stdio] = openSync(path.join(stage.dir, "full"), "w");
    const command = [program, "create", "writer:app", ...mounts, ...args, "--config", config];
    const child = spawn(process.execPath, command, { stdio: streams });
    closeSync(streams[stdio]);
    onEnd(t, () => child.kill("SIGKILL"));
    for (let waited = 0; !hasSet(stage) && waited < 20_000; waited += 20) await sleep(20);
    assert.ok(hasSet(stage), "the set is made, though nobody listens");
    assert.deepEqual([stage.isFrozen(), thaw(mounts[0] ?? "")], [false, false]);
    assert.equal(child.exitCode, null, "what it has to say is not lost");
    const exit = once(child, "exit");
    const said = drain(pipe, () => child.exitCode !== null);
    assert.deepEqual(await exit, [0, null]);
    assert.match(await said, stdio === 1 ? /"type":"ended"/ : /seal \(/);
  });
}

test("a terminal that is stopped with Ctrl-S keeps no application frozen", async (t) => {
  const stage = new Scene(t);
  const command = [
    process.execPath,
    program,
    "create",
    "writer:app",
    "--config",
    stage.configFile({ limits: patientLimits }),
  ];
  const child = spawn("script", ["--quiet", "--flush", "--return", "--command", command.join(" "), "/dev/null"], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  onEnd(t, () => child.kill("SIGKILL"));
  child.stdin?.write("\u0013");
  for (let waited = 0; !hasSet(stage) && waited < 20_000; waited += 20) await sleep(20);
  assert.ok(hasSet(stage), "the set is made, though nothing can be written");
  assert.deepEqual([stage.isFrozen(), child.exitCode], [false, null]);
  const exit = once(child, "exit");
  child.stdin?.write("\u0011");
  assert.deepEqual(await exit, [0, null]);
});

function hasSet(stage: Scene): boolean {
  const sets = path.join(stage.dir, "state/sets");
  return existsSync(sets) && readdirSync(sets).some((id) => existsSync(path.join(sets, id, "set.json")));
}

/** Reads until there is nothing more to come. */
async function drain(fd: number, isOver: () => boolean): Promise<string> {
  const buffer = Buffer.alloc(65_536);
  let text = "";
  for (let idle = 0; idle < 5;) {
    try {
      text += buffer.toString("utf8", 0, readSync(fd, buffer));
    } catch {
      if (isOver()) idle += 1;
      await sleep(10);
    }
  }
  return text;
}

test("a state disk that fills up while volumes are held fails the set, and everything goes on", async (t) => {
  const mounts = freezables(t, 1, ["ext4"]);
  if (mounts === null) return;
  const stage = new Scene(t);
  const state = mount(t, ["-t", "tmpfs", "-o", "size=256k,mode=700", "none"], path.join(stage.dir, "state"));
  const config = stage.configFile({
    provider: { hold: mounts, pointInTime: true, in: "commit", does: "late", delayMs: 1000 },
    limits: patientLimits,
  });
  const running = holdstill(["create", "writer:app", ...mounts, "--json", "--config", config]);
  while (!stage.calls("store").includes("commit")) await sleep(5);
  execFileSync("sh", ["-c", 'cat /dev/zero > "$0/filler" || true', state], { stdio: "ignore" });
  const ran = await running;
  assert.equal(ran.exitCode === 0, false, ran.stdout);
  assert.deepEqual([stage.isFrozen(), thaw(mounts[0] ?? ""), stage.stored()], [false, false, []]);
});

test("on a state disk that is full a command says so, and the set stays as it was", async (t) => {
  const stage = new Scene(t);
  if (process.getuid?.() !== 0) return t.skip("mounting needs root");
  const state = mount(t, ["-t", "tmpfs", "-o", "size=512k,mode=700", "none"], path.join(stage.dir, "state"));
  await stage.run(["create", "writer:app", "--quiet"]);
  const record = (): string =>
    readFileSync(path.join(state, "sets", readdirSync(path.join(state, "sets"))[0] ?? "", "set.json"), "utf8");
  const before = record();
  execFileSync("sh", ["-c", 'cat /dev/zero > "$0/filler" || true', state], { stdio: "ignore" });
  for (const args of [
    ["retain", "latest", "--until", "2099-01-01"],
    ["complete", "latest", "--succeeded"],
  ]) {
    const ran = await stage.run([...args, "--json"]);
    assert.match(ran.stdout, /"E_STATE_DIR".*ENOSPC/s, args.join(" "));
    assert.equal(ran.exitCode, 2);
    assert.equal(record(), before);
  }
  assert.equal(stage.stored().length, 1);
  rmSync(path.join(state, "filler"));
  assert.equal((await stage.run(["delete", "latest", "--yes"])).exitCode, 0);
});
