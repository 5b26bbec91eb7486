import type { Context } from "holdstill/plugin";

/** Lines of `dumpe2fs -h` that each mount for writing changes, and each check that repairs something (ext4(5), e2fsck(8)). */
const marks = ["Filesystem UUID", "Last mount time", "Mount count", "Last checked"];

/**
 * What only a mount for writing or a check of the file system changes; null if the file system does not record that: XFS does not
 * count its mounts.
 */
export async function generationOf(fsType: string, node: string, ctx: Pick<Context, "exec">): Promise<string | null> {
  const header = await headerOf(fsType, node, ctx);
  return header === null ? null : marks.map((mark) => header.get(mark) ?? "").join("; ");
}

/** The file system was mounted when the machine went down, and its journal has not been replayed since. */
export async function isDirty(fsType: string, node: string, ctx: Pick<Context, "exec">): Promise<boolean> {
  const header = await headerOf(fsType, node, ctx);
  return header?.get("Filesystem features")?.split(" ").includes("needs_recovery") ?? false;
}

async function headerOf(
  fsType: string,
  node: string,
  ctx: Pick<Context, "exec">,
): Promise<ReadonlyMap<string, string> | null> {
  if (!fsType.startsWith("ext")) return null;
  const { exitCode, stdout } = await ctx.exec("dumpe2fs", ["-h", node]);
  if (exitCode !== 0) return null;
  const pairs = stdout.split("\n").map((line) => /^([^:]+):\s*(.*)$/.exec(line) ?? []);
  return new Map(pairs.flatMap(([, key, value]) => (key === undefined ? [] : [[key, value ?? ""] as const])));
}
