import { statSync } from "node:fs";
import type { Context, View } from "holdstill/plugin";
import { mount, type Mount, readMounts, unmount } from "#kit/mounts.js";
import { FILES, filesOf, type Located } from "./registry.js";

/** Mounts a snapshot's trees at `view.at`, in place of another view. */
export async function mountAt(entry: Located, view: View, ctx: Context): Promise<void> {
  const access = view.access === "read-only" ? "read-only" : "read-write";
  const existing = readMounts().filter(({ point }) => point === view.at);
  const [only] = existing;
  if (existing.length === 1 && only !== undefined && shows(only, entry) && only.access === access) return;
  for (const { point } of existing.toReversed()) await unmount(point, ctx);
  await mount(filesOf(entry), view.at, { options: ["bind", ...(access === "read-only" ? ["ro"] : [])] }, ctx);
}

/** Ends every mount of the trees. The kernel knows what is mounted where, so none of it is written down. */
export async function unmountAll(entry: Located, ctx: Context): Promise<void> {
  for (const { point } of readMounts()
    .toReversed()
    .filter((one) => shows(one, entry)))
    await unmount(point, ctx);
}

/** Whether these trees are mounted, and not those of the same name in another store. */
function shows({ point, root }: Mount, entry: Located): boolean {
  if (!root.endsWith(`/${entry.id}/${FILES}`)) return false;
  const [mounted, own] = [point, filesOf(entry)].map((dir) => statSync(dir, { bigint: true, throwIfNoEntry: false }));
  return mounted !== undefined && mounted.ino === own?.ino && mounted.dev === own.dev;
}
