import { makeStateDir } from "../catalog/state.js";
import type { Resolution } from "../manifest/resolution.js";
import type { Request } from "../plan/plan.js";
import type { SnapshotSet } from "../schema/types.js";
import { create } from "./create.js";
import { watched } from "./fill-watch.js";
import { Lease } from "./lease.js";
import { withSetLock } from "./set-lock.js";
import { expose, remove } from "./sets.js";
import type { Bench, Ended, Watching } from "./types.js";
import { withCrew } from "./workshop.js";

/** A set while somebody needs it. */
export interface Tenancy {
  pictures: "exposed" | "concealed";
  /** The set is there. Settles when it is no longer needed. */
  lasts: (set: SnapshotSet) => Promise<void>;
}

/** Takes a set and keeps it while `lasts` does; then, or when this process dies, it goes. */
export async function hold(
  bench: Bench,
  request: Request,
  { pictures, lasts }: Tenancy,
  resolution: Pick<Resolution, "plugins" | "warnings">,
  watching: Watching,
): Promise<Ended> {
  makeStateDir(bench.state);
  const { plugins } = resolution;
  const lease = Lease.take(bench.state);
  let end: "release" | "lapse" = "release";
  try {
    const ended = await create(bench, { ...request, lease: lease.mark }, resolution, watching);
    if (ended.set === null) return ended;
    const { id } = ended.set;
    end = "lapse";
    try {
      const set = pictures === "exposed" ? await exposed(bench, id, plugins) : ended.set;
      await watched(bench, set, plugins, watching, () => lasts(set));
    } finally {
      await gone(bench, id, plugins);
      end = "release";
    }
    return ended;
  } finally {
    lease[end]();
  }
}

/** Takes a set that lives while somebody has that descriptor of ours open: it is removed by the first who comes after that. */
export async function createLeased(
  bench: Bench,
  request: Request,
  fd: number,
  resolution: Pick<Resolution, "plugins" | "warnings">,
  watching: Watching,
): Promise<Ended> {
  makeStateDir(bench.state);
  const lease = Lease.inherit(bench.state, fd);
  try {
    const ended = await create(bench, { ...request, lease: lease.mark }, resolution, watching);
    if (ended.set === null) lease.release();
    return ended;
  } catch (error) {
    lease.release();
    throw error;
  }
}

const exposed = (bench: Bench, id: string, plugins: Resolution["plugins"]): Promise<SnapshotSet> =>
  withSetLock(bench, id, () => withCrew(bench, plugins, {}, ({ crew }) => expose(bench, crew, bench.catalog.find(id))));

/** Somebody may have deleted it meanwhile. */
const gone = (bench: Bench, id: string, plugins: Resolution["plugins"]): Promise<void> =>
  withSetLock(bench, id, async () => {
    if (!bench.catalog.has(id)) return;
    await withCrew(bench, plugins, {}, ({ crew }) => remove(bench, crew, bench.catalog.find(id)));
  });
