import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { PluginError } from "./errors.js";

/** The number of the file's loop device, which is made if there is none. */
export async function attach(file: string, ctx: Pick<Context, "exec">): Promise<string> {
  const there = loopsOf(file)[0];
  if (there !== undefined) return numberOf(there);
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    throw new PluginError("STORE", `The store ${file} does not exist.`, "Mount its file system, and try again.");
  }
  await losetup(["--find", "--", file], ctx);
  const made = loopsOf(file)[0];
  if (made === undefined)
    throw new PluginError("STORE", `${file} has no loop device.`, "The kernel's log has the reason: `dmesg | tail`.");
  return numberOf(made);
}

/** Idempotent. */
export async function detach(file: string, ctx: Pick<Context, "exec">): Promise<void> {
  for (const loop of loopsOf(file)) await losetup(["--detach", `/dev/${loop}`], ctx);
}

async function losetup(args: readonly string[], ctx: Pick<Context, "exec">): Promise<void> {
  const { exitCode, stderr } = await ctx.exec("losetup", args);
  if (exitCode === 0) return;
  throw new PluginError("STORE", `losetup failed: ${stderr.trim()}.`, "See `losetup --list`, and the kernel's log.");
}

/** Kernel names of the loop devices whose file it is. */
function loopsOf(file: string): string[] {
  const real = realOf(file);
  return readdirSync("/sys/block").filter((name) => name.startsWith("loop") && backingOf(name) === real);
}

function backingOf(loop: string): string | undefined {
  try {
    return readFileSync(path.join("/sys/block", loop, "loop/backing_file"), "utf8").trim();
  } catch {
    // It has no file.
    return undefined;
  }
}

/** As the kernel names it; also for a file that no longer exists. */
function realOf(file: string): string {
  const folder = path.dirname(file);
  const isThere = statSync(folder, { throwIfNoEntry: false }) !== undefined;
  return path.join(isThere ? realpathSync(folder) : folder, path.basename(file));
}

function numberOf(loop: string): string {
  return readFileSync(path.join("/sys/block", loop, "dev"), "utf8").trim();
}
