import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";

/** Takes away what a bench that was interrupted, or failed, has left below a folder; a frozen file system is thawed before. */
export function sweep(ground: string): void {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const points = mounts.map((line) => line.split(" ")[1] ?? "").filter((point) => point.startsWith(`${ground}/`));
  for (const point of points.toReversed()) {
    spawnSync("fsfreeze", ["-u", point], { stdio: "ignore" });
    spawnSync("umount", ["-l", point], { stdio: "inherit" });
  }
  rmSync(ground, { recursive: true, force: true });
}
