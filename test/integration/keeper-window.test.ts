/** How long I/O is held, next to the best shell script: information, no assertion of time. */
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import test from "node:test";
import { lapseOf, type Means } from "#core/keeper/client.js";
import { armed, freezables, sectionOf } from "../rig/freezable.js";
import { monotonic } from "../rig/scribe.js";

/** Parallel, and nothing else in it; the two marks are its own, so that the start of the shell does not count. */
const script = `
  sync
  date +%s%N
  for m in "$@"; do fsfreeze -f "$m" & done; wait
  for m in "$@"; do fsfreeze -u "$m" & done; wait
  date +%s%N`;

for (const count of [1, 4, 16]) {
  test(`the hold window of ${count} file systems`, { timeout: 120_000 }, async (t) => {
    const mounts = freezables(t, count, ["ext4"]);
    if (mounts === null) return;
    const keeper: Record<Means, number[]> = { ioctl: [], commands: [] };
    const shell: number[] = [];
    const armedIn: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      for (const means of ["ioctl", "commands"] as const) {
        const from = monotonic();
        const one = await armed(t, { ...sectionOf(mounts), ops: [] }, { means });
        armedIn.push(monotonic() - from);
        await one.hold();
        const report = await one.release();
        assert.equal(lapseOf(report), null);
        keeper[means].push(report.heldMs);
        await one.disarm();
      }
      const ran: SpawnSyncReturns<string> = spawnSync("sh", ["-c", script, "sh", ...mounts], { encoding: "utf8" });
      assert.equal(ran.status, 0);
      const [began = 0, ended = 0] = ran.stdout.trim().split("\n").map(Number);
      shell.push((ended - began) / 1e6);
    }
    t.diagnostic(
      `${count}: keeper ${median(keeper.ioctl)} ms, by commands ${median(keeper.commands)} ms, ` +
        `shell script ${median(shell)} ms, armed in ${median(armedIn)} ms (medians of 5)`,
    );
  });
}

function median(values: readonly number[]): string {
  return (values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0).toFixed(1);
}
