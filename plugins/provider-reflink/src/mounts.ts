import { statSync } from "node:fs";
import path from "node:path";
import type { Context, View } from "holdstill/plugin";
import { mount, type Mount, readMounts, unmount } from "#kit/mounts.js";

/** Mounts the folder at `view.at`, in place of another view. */
export async function mountAt(folder: string, view: View, ctx: Context): Promise<void> {
  const access = view.access === "read-only" ? "read-only" : "read-write";
  const existing = readMounts().filter(({ point }) => point === view.at);
  const [only] = existing;
  if (existing.length === 1 && only !== undefined && shows(only, folder) && only.access === access) return;
  for (const { point } of existing.toReversed()) await unmount(point, ctx);
  await mount(folder, view.at, { options: ["bind", ...(access === "read-only" ? ["ro"] : [])] }, ctx);
}

/** Ends every mount of the folder. The kernel knows what is mounted where, so none of it is written down. */
export async function unmountAll(folder: string, ctx: Context): Promise<void> {
  for (const { point } of readMounts()
    .toReversed()
    .filter((one) => shows(one, folder)))
    await unmount(point, ctx);
}

/** Whether this folder is mounted, and not one of the same name in another store. */
function shows({ point, root }: Mount, folder: string): boolean {
  if (path.basename(root) !== path.basename(folder)) return false;
  const [mounted, own] = [point, folder].map((dir) => statSync(dir, { bigint: true, throwIfNoEntry: false }));
  return mounted !== undefined && mounted.ino === own?.ino && mounted.dev === own.dev;
}
