import { statfsSync } from "node:fs";
import type { Context, Snapshot } from "holdstill/plugin";
import { type Entry, partName, WHOLE } from "./entry.js";
import type { FileSystem } from "./file-system.js";
import { exclusiveBytes } from "./space.js";
import type { Store } from "./store.js";
import { type Subvolume, subvolumesBelow } from "./subvolume.js";

/** As the host keeps it. */
export function toSnapshot(entry: Entry, { uuid }: Pick<FileSystem, "uuid">): Snapshot {
  const { id, of, setId, volume, createdAt, parts, whole, notCaptured } = entry;
  const subvolumes = whole?.uuid === undefined ? parts : [{ inner: "", ...whole }];
  return {
    id,
    ...(of === undefined ? {} : { of }),
    setId,
    volumeId: volume.id,
    createdAt,
    method: parts.length > 1 ? `snapshots of ${parts.length} subvolumes` : "snapshot",
    facts: {
      filesystem: uuid,
      root: volume.root,
      subvolumes,
      ...(notCaptured.length === 0 ? {} : { notCaptured }),
    },
  };
}

/** The sealed snapshots of a file system, as they are now. */
export async function describeAll(store: Store, ctx: Pick<Context, "exec">): Promise<Snapshot[]> {
  const sealed = store.all().filter(({ state }) => state === "sealed");
  if (sealed.length === 0) return [];
  const { fs } = store.top;
  const all = await subvolumesBelow(store.top, store.pathOf({ id: "" }), ctx);
  const usage = { percent: percentUsed(store), where: fs.source };
  return sealed.map((entry) => {
    const { own, lost } = ownOf(entry, store, all);
    const bytes = exclusiveBytes(fs, own);
    const isMounted = fs.mounts.some(({ point }) => point === entry.volume.mountPoint);
    return {
      ...toSnapshot(entry, fs),
      usage,
      ...(isMounted ? { volume: entry.volume } : {}),
      ...(entry.parts.length > 1 ? { pointInTime: false } : {}),
      ...(bytes === null ? {} : { bytes }),
      ...(lost === null ? {} : { lost: `its subvolume ${lost} no longer exists` }),
    };
  });
}

/** Its subvolumes, and the path of one that is not there any more. */
function ownOf(
  entry: Entry,
  store: Store,
  all: readonly Subvolume[],
): { own: readonly Subvolume[]; lost: string | null } {
  const expected =
    entry.whole?.uuid === undefined
      ? entry.parts.map(({ uuid }, index) => ({ uuid, path: store.pathOf(entry, partName(index)) }))
      : [{ uuid: entry.whole.uuid, path: store.pathOf(entry, WHOLE) }];
  const found = expected.map(({ uuid, path }) => all.find((one) => one.uuid === uuid && one.path === path));
  const lost = expected.find((_, index) => found[index] === undefined)?.path ?? null;
  return { own: found.filter((one) => one !== undefined), lost };
}

function percentUsed({ top }: Store): number {
  const { blocks, bavail } = statfsSync(top.path);
  return blocks === 0 ? 0 : Math.round((1000 * (blocks - bavail)) / blocks) / 10;
}
