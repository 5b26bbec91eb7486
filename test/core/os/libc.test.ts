import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { flockExclusive, preloadLibc } from "#core/os/libc.js";
import { runScript } from "../../support/process/run-script.js";
import { tempDir } from "../../support/storage/temp.js";

const libc = JSON.stringify(import.meta.resolve("#core/os/libc.js"));

test("a file has one lock, and closing it gives the lock back", (t) => {
  preloadLibc();
  const file = path.join(tempDir(t), "lock");
  const [first, second] = [openSync(file, "w"), openSync(file, "w")];
  assert.equal(flockExclusive(first), true);
  assert.equal(flockExclusive(second), false);
  assert.equal(flockExclusive(first), true, "its owner may take it again");
  closeSync(first);
  assert.equal(flockExclusive(second), true);
  closeSync(second);
});

test("another process sees the lock, and a killed owner loses it", async (t) => {
  const file = path.join(tempDir(t), "lock");
  const owner = await runScript(`
    import { openSync } from "node:fs";
    import { flockExclusive } from ${libc};
    console.log(flockExclusive(openSync(${JSON.stringify(file)}, "w")));
    process.kill(process.pid, "SIGKILL");`);
  assert.equal(owner.stdout, "true\n");
  const mine = openSync(file, "w");
  assert.equal(flockExclusive(mine), true);
  const other = await runScript(`
    import { openSync } from "node:fs";
    import { flockExclusive } from ${libc};
    console.log(flockExclusive(openSync(${JSON.stringify(file)}, "w")));`);
  assert.equal(other.stdout, "false\n");
  closeSync(mine);
});

test("a descriptor that is not open is an error and not a lock", () => {
  assert.throws(() => flockExclusive(9999), /errno 9/);
});

test("exitNow ends with its code at once, without exit handlers", async () => {
  const { exitCode, stdout } = await runScript(`
    import { exitNow } from ${libc};
    process.on("exit", () => console.log("handler"));
    setInterval(() => {}, 1000);
    exitNow(6);`);
  assert.deepEqual({ exitCode, stdout }, { exitCode: 6, stdout: "" });
});
