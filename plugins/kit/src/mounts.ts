import { readFileSync } from "node:fs";
import type { Context } from "holdstill/plugin";
import { PluginError } from "./plugin-error.js";

/** A mount of this process's mount namespace: one line of proc_pid_mountinfo(5). */
export interface Mount {
  /** major:minor of the file system's device. */
  readonly number: string;
  /** The folder of the file system that is mounted; `/` is all of it. */
  readonly root: string;
  readonly point: string;
  readonly access: "read-only" | "read-write";
  readonly fsType: string;
  /** Usually a device; of a btrfs one of its devices, by the name that the kernel knows. */
  readonly source: string;
  /** Of the file system, not of the mount: `logdev=/dev/sdb`. */
  readonly options: readonly string[];
}

/** All mounts, in the order in which they were made. */
export function readMounts(): Mount[] {
  return parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));
}

/** Where the devices with these numbers are mounted, the last mount first: the order in which they can be unmounted. */
export function mountsOf(numbers: readonly string[]): Mount[] {
  return readMounts()
    .filter(({ number }) => numbers.includes(number))
    .toReversed();
}

export function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    const [, , number, root, point, options] = fields;
    const [fsType = "", source = "", superOptions = ""] = fields.slice(fields.indexOf("-") + 1);
    if (number === undefined || root === undefined || point === undefined || options === undefined) return [];
    const access = options.split(",").includes("ro") ? "read-only" : "read-write";
    const device = { number, fsType, source: unescape(source), options: superOptions.split(",") };
    return [{ ...device, root: unescape(root), point: unescape(point), access }];
  });
}

/** The kernel's mangle_path: space, tab, newline, backslash and # come as three octal digits, and everything else as it is. */
export function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Runs mount(8). Programs and device nodes in what is mounted get no privileges. @throws PluginError MOUNT */
export async function mount(
  source: string,
  point: string,
  { fsType, options }: { fsType?: string; options: readonly string[] },
  ctx: Pick<Context, "exec">,
): Promise<void> {
  const type = fsType === undefined ? [] : ["-t", fsType];
  const args = [...type, "-o", ["nosuid", "nodev", ...options].join(","), "--", source, point];
  const { exitCode, stderr } = await ctx.exec("mount", args);
  if (exitCode === 0) return;
  const message = `${source} cannot be mounted at ${point}: ${stderr.trim().replaceAll("\n", "; ")}`;
  throw new PluginError("MOUNT", message, "The kernel's log has the reason: `dmesg | tail`.");
}

/** Mounts a snapshot beside its original, which has the same UUID. @throws PluginError MOUNT */
export async function mountSnapshot(
  node: string,
  point: string,
  { fsType, access }: Pick<Mount, "fsType" | "access">,
  ctx: Pick<Context, "exec">,
): Promise<void> {
  // XFS refuses a second file system with the same UUID otherwise (xfs(5)).
  const beside = fsType === "xfs" ? ["nouuid"] : [];
  await mount(node, point, { fsType, options: [access === "read-only" ? "ro" : "rw", ...beside] }, ctx);
}

/** Runs umount(8). @throws PluginError BUSY */
export async function unmount(point: string, ctx: Pick<Context, "exec">): Promise<void> {
  const { exitCode, stderr } = await ctx.exec("umount", ["--", point]);
  if (exitCode === 0) return;
  const message = `${point} cannot be unmounted: ${stderr.trim()}`;
  throw new PluginError("BUSY", message, `End the processes that use it: fuser -vm ${point}`);
}
