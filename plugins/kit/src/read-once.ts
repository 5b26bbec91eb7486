import type { Context } from "holdstill/plugin";
import { type MappedDevice, SECTOR } from "./mapped-devices.js";
import { PluginError } from "./plugin-error.js";

/** As much as is read at the beginning and at the end, bytes. */
const PART = 2 ** 16;

/**
 * Opens the snapshot of a raw device, and reads its beginning and its end, so that nothing is promised of one that cannot be read.
 *
 * @throws PluginError UNREADABLE
 */
export async function readOnce({ node, sectors }: MappedDevice, ctx: Pick<Context, "exec">): Promise<void> {
  const last = Math.max(0, Math.ceil((sectors * SECTOR) / PART) - 1);
  for (const part of new Set([0, last])) {
    const args = [`if=${node}`, "of=/dev/null", `bs=${PART}`, "count=1", `skip=${part}`, "iflag=direct", "status=none"];
    const { exitCode, stderr } = await ctx.exec("dd", args);
    if (exitCode === 0) continue;
    const message = `The snapshot ${node} cannot be read: ${stderr.trim()}`;
    throw new PluginError("UNREADABLE", message, "The kernel's log has the reason: `dmesg | tail`.");
  }
}
