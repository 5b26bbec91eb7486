import { setTimeout as sleep } from "node:timers/promises";
import type { LeasedCommand } from "../../support/process/leased-command.js";
import { run } from "./volume-group.js";

export function pour(file: string, mebibytes: number): void {
  run("dd", ["if=/dev/zero", `of=${file}`, "bs=1M", `count=${mebibytes}`, "conv=fsync", "status=none"]);
}

/** Fills a folder until somebody says so: a MiB at a time, and slowly from `slow` on, so that it is seen before all is full. */
export async function pourUntil(kept: LeasedCommand, text: string, folder: string, slow: number): Promise<void> {
  for (let mebibytes = 0; !kept.stderr.includes(text) && mebibytes < slow + 6; mebibytes += 1) {
    pour(`${folder}/part-${mebibytes}`, 1);
    if (mebibytes >= slow) await sleep(2000);
  }
  await kept.printed(text);
}
