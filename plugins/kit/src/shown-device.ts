import { lstatSync, statSync } from "node:fs";
import path from "node:path";
import type { Context, Exposed } from "holdstill/plugin";
import { dmsetup } from "./dmsetup.js";
import type { MappedDevice } from "./mapped-devices.js";

type Exec = Pick<Context, "exec">;

/**
 * The snapshot of a raw device, as it is exposed: by device-mapper's name, which no other device gets at a later boot. dmsetup leaves
 * the name to udev, which does not make it where it does not run, or is told to leave our devices alone.
 */
export async function shownDevice(
  original: string,
  device: MappedDevice,
  access: "read-only" | "read-write",
  ctx: Exec,
): Promise<Exposed> {
  const named = nodeOf(device.name);
  // Without a name, as in a container whose /dev cannot be changed, the kernel's own node still leads to the device.
  if (!isNodeOf(named, device)) await makeNode(device.name, ctx).catch(() => undefined);
  const shown = isNodeOf(named, device) ? named : device.node;
  return { trees: [], devices: [{ original, path: shown }], readOnly: access === "read-only" };
}

/** Of a device that was removed: its name may be left, and would lead to another device one day. */
export async function removeName(name: string, ctx: Exec): Promise<void> {
  if (lstatSync(nodeOf(name), { throwIfNoEntry: false }) !== undefined) await makeNode(name, ctx);
}

const nodeOf = (name: string): string => path.join("/dev/mapper", name);

const isNodeOf = (named: string, { node }: MappedDevice): boolean =>
  statSync(named, { throwIfNoEntry: false })?.rdev === statSync(node).rdev;

/** Makes the node in /dev/mapper, or removes it if there is no such device (dmsetup(8), mknodes). */
async function makeNode(name: string, ctx: Exec): Promise<void> {
  await dmsetup(ctx, ["--manglename", "none", "mknodes", "--", name]);
}
