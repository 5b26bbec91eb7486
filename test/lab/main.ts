/**
 * `npm run lab [-- --kernel NAME] [--lvm VERSION] [--minutes N] [TEST…]`: boots user-mode kernels and runs the lab tests in them, all
 * or those that are named (`postgres` is tests/postgres.lab.ts, `provider-lvm*` several), each file for at most N minutes (5). `npm run lab -- shell`: a shell in a guest.
 */
import { parseArgs } from "node:util";
import { GuestFailed, runInGuest } from "./guest.js";
import { findKernel, NoKernel } from "./kernels.js";
import { findLvm } from "./lvm.js";
import { namedTests } from "./named.js";
import { openShell } from "./shell.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: "string", multiple: true, default: ["6.1"] },
    lvm: { type: "string" },
    minutes: { type: "string", default: "5" },
  },
});

try {
  for (const name of values.kernel) {
    const kernel = { ...findKernel(name), ...(values.lvm === undefined ? {} : { lvm: findLvm(values.lvm) }) };
    if (positionals[0] === "shell") process.exitCode = await openShell(kernel);
    else await runTests(kernel);
  }
} catch (error) {
  if (!(error instanceof NoKernel || error instanceof GuestFailed)) throw error;
  console.error(`lab: ${error.message}`);
  process.exitCode = error instanceof NoKernel ? 2 : 1;
}

async function runTests(kernel: ReturnType<typeof findKernel>): Promise<void> {
  const files = namedTests(positionals);
  const begun = performance.now();
  const since = (): string => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  const tally = { passed: 0, failed: 0, skipped: 0 };
  let fileBegun = begun;
  const fileSeconds = Number(values.minutes) * 60;
  for await (const event of runInGuest(kernel, files, { fileSeconds, silenceSeconds: fileSeconds + 30 })) {
    switch (event.event) {
      case "booted":
        fileBegun = performance.now();
        console.log(`kernel ${event.kernel}, booted in ${since()}`);
        break;
      case "passed":
      case "failed":
      case "skipped": {
        tally[event.event] += 1;
        const detail = event.detail === "" ? "" : `\n${event.detail.replaceAll(/^/gm, "    ")}`;
        console.log(`${event.event.padEnd(7)} ${event.name} (${Math.round(event.durationMs)} ms)${detail}`);
        break;
      }
      case "told":
        console.log(`        ${event.text}`);
        break;
      case "ended":
        console.log(`        ${event.file} took ${((performance.now() - fileBegun) / 1000).toFixed(1)} s`);
        fileBegun = performance.now();
        if (event.code === 0) break;
        tally.failed += 1;
        console.log(`failed  ${event.file}: ${event.why}`);
        break;
      case "measured":
        break;
      case "done":
        console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped, ${since()}\n`);
    }
  }
  if (tally.failed > 0) process.exitCode = 1;
}
