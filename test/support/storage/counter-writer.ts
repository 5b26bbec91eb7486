/**
 * The program of a Counter: writes the steps 1, 2, 3 … to the folders given as arguments, each step to each folder in turn, and
 * goes on only when fsync(2) has returned. Tells its parent about each step; ends with it.
 */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { blockSize, counterFile, encodeBlock, ringBlocks } from "./counter-block.js";
import type { Step, Word } from "./counter.js";

const files = process.argv.slice(2).map((folder) => openSync(path.join(folder, counterFile), "w"));
const block = Buffer.alloc(blockSize);
for (const file of files) {
  // The ring is laid out first: a step then changes data only, and no file system's journal orders the steps.
  writeSync(file, Buffer.alloc(blockSize * ringBlocks));
  fsyncSync(file);
}
const stop = new AbortController();
let restMs = 0;
process.on("message", (word: Word) => {
  if (word === "stop") stop.abort();
  else restMs = word.restMs;
});
process.once("disconnect", () => process.exit(0));

for (let seq = 1; !stop.signal.aborted; seq += 1) {
  const at = Date.now();
  const begun = performance.now();
  encodeBlock({ seq, at }, block);
  for (const file of files) {
    writeSync(file, block, 0, blockSize, (seq % ringBlocks) * blockSize);
    fsyncSync(file);
  }
  const step: Step = { seq, at, ms: performance.now() - begun };
  process.send?.(step);
  await (restMs === 0 ? turn() : sleep(restMs));
}
for (const file of files) closeSync(file);
process.disconnect();
