/** The counter across volumes can find what it is for. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { blockSize, encodeBlock, ringBlocks } from "./storage/counter-block.js";
import { Counter, CounterBroken, verifyCounter } from "./storage/counter.js";
import { onEnd } from "./process/on-end.js";
import { tempDir } from "./storage/temp.js";

const volumes = ["a", "b", "c"];

async function counting(t: TestContext): Promise<{ counter: Counter; live: string[]; copies: string[] }> {
  const dir = tempDir(t);
  const [live = [], copies = []] = ["live", "copy"].map((part) => volumes.map((name) => path.join(dir, part, name)));
  for (const folder of [...live, ...copies]) mkdirSync(folder, { recursive: true });
  const counter = await Counter.start(live);
  onEnd(t, async () => void (await counter.stop()));
  return { counter, live, copies };
}

function copy(from: string | undefined, to: string | undefined): void {
  copyFileSync(path.join(from ?? "", "counter"), path.join(to ?? "", "counter"));
}

test("the volumes of a counter that stands still are equal, and the last step is on all", async (t) => {
  const { counter, live } = await counting(t);
  await counter.advance(20);
  const last = await counter.stop();
  assert.equal(verifyCounter(live), last);
  assert.ok(last >= ringBlocks + 20);
});

test("snapshots that are taken one after the other while it counts are told from those of one instant", async (t) => {
  const { counter, live, copies } = await counting(t);
  for (const [index, folder] of live.entries()) {
    copy(folder, copies[index]);
    await counter.advance(3);
  }
  assert.throws(() => verifyCounter(copies), CounterBroken);
});

test("a step that is under way may be on the first volumes only, and not on the last ones only", async (t) => {
  const { counter, live, copies } = await counting(t);
  await counter.stop();
  for (const [index, folder] of live.entries()) copy(folder, copies[index]);
  const last = verifyCounter(copies);
  const [first = "", , third = ""] = copies.map((folder) => path.join(folder, "counter"));
  const bytes = readFileSync(first);
  const at = (last % ringBlocks) * blockSize;
  // The block of the step before lies where the last one was: as if the last one had not come.
  encodeBlock({ seq: last - ringBlocks, at: 0 }, bytes.subarray(at, at + blockSize));
  writeFileSync(third, bytes);
  assert.equal(verifyCounter(copies), last - 1);
  writeFileSync(first, bytes);
  assert.throws(() => verifyCounter(copies), /which came to .* before it/);
});

test("a torn block and a missing step are found", async (t) => {
  const { counter, live } = await counting(t);
  const last = await counter.stop();
  const file = path.join(live[1] ?? "", "counter");
  const whole = readFileSync(file);
  const torn = Buffer.from(whole);
  torn.fill(0, ((last - 7) % ringBlocks) * blockSize + 512, ((last - 7) % ringBlocks) * blockSize + 1024);
  writeFileSync(file, torn);
  assert.throws(() => verifyCounter(live), /1 are missing or torn/);
  writeFileSync(file, whole.subarray(0, whole.length - blockSize));
  assert.throws(() => verifyCounter(live), /1 are missing or torn/);
});
