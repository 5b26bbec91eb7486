import type { Context } from "holdstill/plugin";
import type { Intent } from "./intent.js";
import { dmsetup, holdersOf, look, tableOf } from "./mapper.js";

/**
 * Undoes what an lvcreate that was killed has left in the kernel: goes back to the tables that were live before, from the bottom up,
 * and removes what was made for the snapshot. LVM's own commands do not: they trust the tables that wait in the inactive slots.
 */
export async function settle({ origin, snapshot }: Intent, ctx: Context): Promise<void> {
  const [real, cow] = [`${origin}-real`, `${snapshot}-cow`];
  // Other snapshots of the origin are suspended with it.
  const kin = holdersOf(real).filter((name) => name !== origin && name !== snapshot);
  const stack = [real, cow, ...kin.map((name) => `${name}-cow`), ...kin, snapshot, origin];
  if (!stack.some((name) => look(name)?.isSuspended)) return;
  for (const name of stack) {
    if (look(name) === null) continue;
    await dmsetup(ctx, ["clear", name]);
    // Without a live table there is nothing to resume; that one is removed below.
    if (look(name)?.isSuspended && (await tableOf(name, ctx)) !== "") await dmsetup(ctx, ["resume", name]);
  }
  if ((await tableOf(origin, ctx)).includes(" snapshot-origin ")) return;
  for (const name of [snapshot, cow, real]) if (look(name) !== null) await dmsetup(ctx, ["remove", "--retry", name]);
}
