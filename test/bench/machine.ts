import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

/** What the figures depend on. */
export function machine(): Record<string, string> {
  return {
    date: new Date().toISOString().slice(0, 10),
    kernel: release(),
    processor: `${cpus()[0]?.model ?? "?"}, ${availableParallelism()} at a time`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    "util-linux": execFileSync("fsfreeze", ["--version"], { encoding: "utf8" }).trim(),
    "load before": loadavg()
      .map((load) => load.toFixed(1))
      .join(", "),
  };
}
