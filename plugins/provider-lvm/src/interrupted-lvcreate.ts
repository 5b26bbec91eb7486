import type { Context } from "holdstill/plugin";
import { dmsetup } from "#kit/dmsetup.js";
import { findByName, holdersOf } from "#kit/mapped-devices.js";
import { removeDevice, tableOf } from "./mapper.js";

/**
 * Device-mapper names of an origin that LVM is about to suspend for a moment, and of the snapshot that it is to get. An lvcreate
 * that is killed in that moment leaves the origin suspended, and perhaps without a volume whose tag would show it.
 */
export interface Intent {
  /** UUID of the volume group. */
  readonly group: string;
  readonly origin: string;
  readonly snapshot: string;
  /** Every lvcreate has ended: what is suspended now, another program suspended. Absent: one may have been killed. */
  readonly lvcreate?: "ended";
}

/**
 * Undoes what an lvcreate that was killed has left in the kernel. From the bottom up, it makes the tables live that were live before,
 * and removes what was made for the snapshot. LVM's own commands do not: they trust the tables that wait in the inactive slots.
 */
export async function undoLvcreate({ origin, snapshot, lvcreate }: Intent, ctx: Context): Promise<void> {
  if (lvcreate === "ended") return;
  const [real, cow] = [`${origin}-real`, `${snapshot}-cow`];
  const realDevice = findByName(real);
  const holders = realDevice === undefined ? [] : holdersOf(realDevice).map(({ name }) => name);
  // Other snapshots of the origin are suspended with it.
  const siblings = holders.filter((name) => name !== origin && name !== snapshot);
  const stack = [real, cow, ...siblings.map((name) => `${name}-cow`), ...siblings, snapshot, origin];
  if (!stack.some(isSuspended)) return;
  for (const name of stack) {
    if (findByName(name) === undefined) continue;
    await dmsetup(ctx, ["clear", name]);
    // Without a live table there is nothing to resume; that one is removed below.
    if (isSuspended(name) && (await tableOf(name, ctx)) !== "") await dmsetup(ctx, ["resume", name]);
  }
  if ((await tableOf(origin, ctx)).includes(" snapshot-origin ")) return;
  for (const name of [snapshot, cow, real]) await removeDevice(findByName(name), ctx);
}

const isSuspended = (name: string): boolean => findByName(name)?.state === "suspended";
