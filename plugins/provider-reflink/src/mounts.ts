import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { Context, View } from "holdstill/plugin";
import { Refusal } from "./errors.js";

interface Mounted {
  point: string;
  /** Name of the folder that is mounted: a snapshot's id, if it is one of ours. */
  name: string;
  access: "read-only" | "read-write";
}

/** The kernel knows what is mounted where, so nothing of it is written down (proc_pid_mountinfo(5)). */
function mounts(): Mounted[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const [, , , root = "", point = "", options = ""] = line.split(" ");
    const access = options.split(",").includes("ro") ? "read-only" : "read-write";
    return { point: unescape(point), name: path.basename(unescape(root)), access };
  });
}

/** Mounts the folder at `view.at`, in the place of another view. Programs and device nodes in it get no power there. */
export async function mountAt(folder: string, view: View, ctx: Context): Promise<void> {
  const access = view.access === "read-only" ? "read-only" : "read-write";
  const there = mounts().filter(({ point }) => point === view.at);
  const [only] = there;
  if (there.length === 1 && only !== undefined && shows(only, folder) && only.access === access) return;
  for (const { point } of there) await unmount(point, ctx);
  const options = ["bind", "nosuid", "nodev", ...(access === "read-only" ? ["ro"] : [])].join(",");
  const { exitCode, stderr } = await ctx.exec("mount", ["-o", options, "--", folder, view.at]);
  if (exitCode === 0) return;
  throw new Refusal("MOUNT", `${folder} cannot be mounted: ${stderr.trim()}`, "Look at the kernel's log.");
}

/** Ends every mount of the folder. */
export async function unmountAll(folder: string, ctx: Context): Promise<void> {
  for (const { point } of mounts().filter((mounted) => shows(mounted, folder))) await unmount(point, ctx);
}

/** Whether it is this folder that is mounted, and not one of the same name in another store. */
function shows({ point, name }: Mounted, folder: string): boolean {
  if (name !== path.basename(folder)) return false;
  const [there, here] = [point, folder].map((dir) => statSync(dir, { bigint: true, throwIfNoEntry: false }));
  return there !== undefined && there.ino === here?.ino && there.dev === here.dev;
}

async function unmount(point: string, ctx: Context): Promise<void> {
  const { exitCode, stderr } = await ctx.exec("umount", ["--", point]);
  if (exitCode === 0) return;
  throw new Refusal("MOUNT", `${point} cannot be unmounted: ${stderr.trim()}`, `End who uses it: fuser -vm ${point}`);
}

/** Blanks and the like are octal there. */
function unescape(name: string): string {
  const bytes = name.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
  return Buffer.from(bytes, "latin1").toString();
}
