import path from "node:path";
import type { Context, Exposed, Snapshot, View } from "holdstill/plugin";
import { type Mount, mount } from "#kit/mounts.js";
import { compose, type Piece } from "./contents.js";
import { type Entry, partName, SCRATCH, WHOLE } from "./entry.js";
import { PluginError } from "./errors.js";
import { type Found, withSnapshot, withWhole } from "./find.js";
import type { Options } from "./options.js";
import { removeNamed } from "./ownership.js";
import { conceal, exposuresOf } from "./removal.js";
import { deleteSubvolumes, type Subvolume } from "./subvolume.js";

type Exec = Pick<Context, "exec">;
type Complete = Found & { readonly pieces: readonly [Piece, ...Piece[]] };

/** @throws PluginError UNKNOWN_SNAPSHOT, UNREACHABLE, BUSY, MOUNT */
export async function expose(snapshot: Snapshot, view: View, ctx: Context<Options>): Promise<Exposed> {
  return await withWhole(snapshot, ctx, async (found) => {
    const { entry, store } = found;
    const trees = entry.paths.map(({ original, inner }) => ({ original, path: path.join(view.at, inner) }));
    const exposed = { trees: trees as Exposed["trees"], readOnly: view.access === "read-only" };
    const there = exposuresOf(entry, store);
    if (there.some((one) => isSame(one, entry, view, store.pathOf(entry)))) return exposed;
    if (there.length > 0) {
      const message = `${snapshot.id} is already exposed, on ${there.map(({ point }) => point).join(", ")}.`;
      throw new PluginError("BUSY", message, "Unexpose its set first.");
    }
    // A view that a crash left.
    await conceal(entry, store, ctx);
    try {
      await show(found, view, ctx);
    } catch (error) {
      const undone = conceal(entry, store, ctx);
      await undone.catch((second: unknown) => ctx.log.warn(`the exposure could not be undone: ${String(second)}`));
      throw error;
    }
    return exposed;
  });
}

/** Idempotent. */
export async function unexpose(snapshot: Snapshot, ctx: Context<Options>): Promise<void> {
  await withSnapshot(snapshot, ctx, async (found) => {
    if (found !== null) await conceal(found.entry, found.store, ctx);
  });
}

async function show({ entry, store, pieces }: Complete, { access, at }: View, ctx: Context<Options>): Promise<void> {
  const { fs } = store.top;
  const put = (subvolume: Subvolume, point: string): Promise<void> =>
    mount(fs.source, point, { fsType: "btrfs", options: [...optionsOf(access), `subvolid=${subvolume.id}`] }, ctx);
  switch (access) {
    case "read-only": {
      // What is nested in one tree is there already.
      const shown = entry.whole?.uuid === undefined ? pieces : [pieces[0]];
      for (const { inner, subvolume } of shown) await put(subvolume, path.join(at, inner));
      return;
    }
    case "writable":
      return await put(await wholeOf({ entry, store, pieces }, ctx), at);
    case "scratch":
      return await put(await compose(pieces, store.pathOf(entry, SCRATCH), store, ctx), at);
  }
}

const optionsOf = (access: View["access"]): string[] => [access === "read-only" ? "ro" : "rw", "noatime"];

/**
 * The contents as one writable tree. A snapshot that was cut gives way to it: what is written stays, and is what later views show.
 */
async function wholeOf({ entry, store, pieces }: Complete, ctx: Exec): Promise<Subvolume> {
  const [root] = pieces;
  if (entry.whole?.uuid !== undefined) return root.subvolume;
  const begun = store.write({ ...entry, whole: { from: root.subvolume.uuid } });
  if (store.namesIn(begun).includes(WHOLE)) await removeNamed(begun, WHOLE, store, ctx);
  const made = await compose(pieces, store.pathOf(entry, WHOLE), store, ctx);
  store.write({ ...begun, whole: { from: root.subvolume.uuid, uuid: made.uuid } });
  const cut = entry.parts.map((_, index) => store.pathOf(entry, partName(index)));
  await deleteSubvolumes(store.top, cut, ctx);
  return made;
}

function isSame(shown: Mount, { whole }: Entry, { at, access }: View, folder: string): boolean {
  if (shown.point !== at || (shown.access === "read-only") !== (access === "read-only")) return false;
  const current = whole?.uuid === undefined ? partName(0) : WHOLE;
  const name = { "read-only": current, writable: WHOLE, scratch: SCRATCH }[access];
  return shown.root === path.join(folder, name);
}
