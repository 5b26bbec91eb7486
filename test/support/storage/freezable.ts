import { execFileSync, spawnSync } from "node:child_process";
import path from "node:path";
import type { TestContext } from "node:test";
import { Keeper, type KeeperOptions, type SectionPlan } from "#core/keeper/client/client.js";
import { onEnd } from "../process/on-end.js";
import { loopFs, mount } from "./loop-device.js";

/** A file system of the test's own that may be frozen: it is thawed before it is unmounted, whatever happened. */
export function freezable(t: TestContext, kind: Parameters<typeof loopFs>[1], name?: string): string | null {
  const point = loopFs(t, kind, name);
  if (point !== null) onEnd(t, () => thaw(point));
  return point;
}

/** Several of them; null where this machine can make none. */
export function freezables(t: TestContext, count: number, kinds: Parameters<typeof loopFs>[1][]): string[] | null {
  const points = Array.from({ length: count }, (_, at) => freezable(t, kinds[at % kinds.length] ?? "ext4", `fs${at}`));
  const made = points.filter((point) => point !== null);
  return made.length === count ? made : null;
}

/** A file system whose disk is a file on that one: what it writes comes to a halt with it. */
export function fsOn(t: TestContext, below: string): string {
  const image = `${below}/image`;
  execFileSync("truncate", ["-s", "64M", image]);
  execFileSync("mkfs.ext4", ["-q", "-F", image]);
  return mount(t, ["-o", "loop", image], path.join(path.dirname(below), "above"));
}

export const freeze = (point: string): boolean => spawnSync("fsfreeze", ["-f", point]).status === 0;
/** False: it was not frozen. */
export const thaw = (point: string): boolean => spawnSync("fsfreeze", ["-u", point]).status === 0;

/** A section that holds these mounts, or device-mapper devices, until it is told to release them. */
export const sectionOf = (points: readonly string[], limitMs = 5000): SectionPlan => ({
  targets: points.map((point) => (point.startsWith("/") ? { kind: "fs", mount: point } : { kind: "dm", name: point })),
  ops: [{ op: "plugin" }],
  limitMs,
  includeRoot: false,
});

/** A keeper that does not outlive its test. */
export async function armed(t: TestContext, plan: SectionPlan, options: KeeperOptions = {}): Promise<Keeper> {
  const keeper = await Keeper.arm(plan, options);
  // At the end it may be another process than at first.
  onEnd(t, () => kill(keeper.pid));
  return keeper;
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  } catch {
    // It is gone: that is what was wanted.
  }
}
