import type { Context } from "holdstill/plugin";
import { PluginError } from "./errors.js";

/** Runs btrfs(8) and returns what it prints. @throws PluginError BTRFS_FAILED */
export async function btrfs(ctx: Pick<Context, "exec">, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await ctx.exec("btrfs", args, { env: { LC_ALL: "C" } });
  if (exitCode === 0) return stdout;
  const said = stderr.trim().replaceAll("\n", "; ");
  throw new PluginError(
    "BTRFS_FAILED",
    `btrfs ${args.slice(0, 2).join(" ")} failed: ${said}`,
    "The kernel's log may have the reason: `dmesg | tail`.",
  );
}
