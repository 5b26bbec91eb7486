import { readFileSync } from "node:fs";
import type { Context } from "holdstill/plugin";
import { Refusal } from "./errors.js";

export interface Mount {
  readonly at: string;
  /** major:minor of the device. */
  readonly number: string;
  readonly isReadOnly: boolean;
}

/** Where these devices are mounted, last mounted first: proc_pid_mountinfo(5). */
export function mountsOf(numbers: readonly string[]): Mount[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const mounts = lines.flatMap((line) => {
    const [, , number = "", , at = "", options = ""] = line.split(" ");
    return numbers.includes(number)
      ? [{ at: unescape(at), number, isReadOnly: options.split(",").includes("ro") }]
      : [];
  });
  return mounts.toReversed();
}

/** The kernel's mangle_path: space, tab, newline, backslash and # come as three octal digits. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** @throws Refusal MOUNT */
export async function mount(
  node: string,
  fsType: string,
  options: readonly string[],
  at: string,
  ctx: Context,
): Promise<void> {
  // XFS refuses a second file system of one UUID otherwise (xfs(5)).
  const beside = fsType === "xfs" ? ["nouuid"] : [];
  const args = ["-t", fsType, "-o", ["nosuid", "nodev", ...options, ...beside].join(","), "--", node, at];
  const { exitCode, stderr } = await ctx.exec("mount", args);
  if (exitCode === 0) return;
  const message = `${node} cannot be mounted: ${stderr.trim().split("\n")[0]}`;
  throw new Refusal("MOUNT", message, "The kernel's log says why.");
}

/** @throws Refusal BUSY */
export async function unmount(at: string, ctx: Context): Promise<void> {
  const { exitCode, stderr } = await ctx.exec("umount", ["--", at]);
  if (exitCode === 0) return;
  throw new Refusal("BUSY", `${at} cannot be unmounted: ${stderr.trim()}`, `See who uses it: fuser -vm ${at}`);
}
