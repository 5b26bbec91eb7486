import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { onEnd } from "../process/on-end.js";

const lock = path.join(tmpdir(), "provider-btrfs.lock");
/** How many times this process has it. */
let holds = 0;

/**
 * Waits until no other test file uses provider-btrfs, which sees every btrfs that is mounted: `recover` would name the snapshots of
 * another test. Until the test ends, this one is alone.
 */
export function btrfsAlone(t: TestContext): void {
  if (holds === 0) waitForLock();
  holds += 1;
  onEnd(t, () => {
    holds -= 1;
    if (holds === 0) rmSync(lock, { force: true });
  });
}

function waitForLock(): void {
  while (!tryLock()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
}

function tryLock(): boolean {
  try {
    writeFileSync(lock, `${process.pid}`, { flag: "wx" });
    return true;
  } catch {
    if (!isHeld()) rmSync(lock, { force: true });
    return false;
  }
}

/** A test file that was killed leaves it. */
function isHeld(): boolean {
  try {
    const pid = readFileSync(lock, "utf8");
    return pid === "" || process.kill(Number(pid), 0);
  } catch {
    return false;
  }
}
