import path from "node:path";
import type { Context, FileSystemVolume, Place, Transaction } from "holdstill/plugin";
import { mountPointOf } from "#kit/away.js";
import { makeFolder, openFolder, PASSABLE } from "./folder.js";
import { nearestExisting, type Options, resolve } from "./place.js";
import { canClone } from "./probe.js";
import { type Entry, FILES, filesOf } from "./registry.js";
import { registryOf } from "./stored-entry.js";

/** Makes the folders for the contents of another host, as `prepare` does for those of this one. `seal` and `abort` know no difference. */
export async function receive(
  tx: Transaction,
  volumes: readonly FileSystemVolume[],
  ctx: Context<Options>,
): Promise<Place[]> {
  const registry = registryOf(ctx);
  const store = resolve(ctx.options.store ?? path.join(ctx.dataDir, "snapshots"));
  // Of forks: what is received shares nothing with anything.
  const method = (await canClone(nearestExisting(store), nearestExisting(store), ctx)) ? "reflink" : "copy";
  return volumes.map((volume, index) => {
    const planned: Entry = {
      version: 1,
      id: `${tx.id}.${index}`,
      setId: tx.id,
      volumeId: volume.id,
      volume,
      mountPoint: volume.mountPoint,
      paths: volume.paths,
      exclude: volume.exclude,
      store,
      mount: mountPointOf(store),
      method,
      state: "planned",
      createdAt: new Date().toISOString(),
      facts: { received: true },
    };
    registry.write(planned);
    makeFolder(planned);
    const made = registry.write({ ...planned, state: "made" });
    using folder = openFolder(made);
    using files = folder?.open(FILES);
    files?.chmod(PASSABLE);
    return { volumeId: volume.id, folder: filesOf(made) };
  });
}
