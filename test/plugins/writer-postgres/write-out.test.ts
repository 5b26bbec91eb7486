import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { PlacedFolder } from "@holdstill/writer-postgres/dist/snapshot.js";
import { whileWritingOut } from "@holdstill/writer-postgres/dist/write-out.js";
import { probeContext } from "../../support/fixture/context.js";
import type { Options } from "../../support/server/postgres-snapshot.js";
import { tempDir } from "../../support/storage/temp.js";

/** Does the work, with a sync that takes its time and has that exit code; answers when the work ended and when each sync began. */
async function played(
  t: TestContext,
  workMs: number,
  place: (dir: string) => PlacedFolder,
  exitCode = 0,
): Promise<{ ended: number; syncs: number[] }> {
  const dir = tempDir(t);
  const { ctx } = probeContext({} as Options, dir);
  const syncs: number[] = [];
  const exec = async (): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
    syncs.push(performance.now());
    await sleep(400);
    return { exitCode, stdout: "", stderr: "No space left on device" };
  };
  const ended = await whileWritingOut([place(dir)], { ...ctx, exec }, async () => {
    await sleep(workMs);
    return performance.now();
  });
  return { ended, syncs };
}

const apart = (dir: string): PlacedFolder => ({ place: dir, original: "/proc" });

test("what is written while a sync is under way is written out by one more", async (t) => {
  const { ended, syncs } = await played(t, 1200, apart);
  assert.ok(syncs.length >= 2 && (syncs.at(-1) ?? 0) >= ended, JSON.stringify({ ended, syncs }));
});

test("a file system that the original lies on, too, is written out at the end only", async (t) => {
  const { ended, syncs } = await played(t, 1200, (dir) => ({ place: dir, original: dir }));
  assert.equal(syncs.length, 1);
  assert.ok((syncs[0] ?? 0) >= ended);
});

test("a sync that fails, meanwhile or at the end, is PG_RECOVERY with its words", async (t) => {
  for (const workMs of [1200, 10]) {
    const fault = { code: "PG_RECOVERY", message: /cannot be written out: No space left on device/ };
    await assert.rejects(played(t, workMs, apart, 1), fault);
  }
});
