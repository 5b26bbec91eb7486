import type { Context, Transaction } from "holdstill/plugin";
import { type Entry, nameOf, snapshotName } from "./entry.js";
import { PluginError } from "./errors.js";
import { unexpose } from "./exposure.js";
import { infoOf } from "./image.js";
import type { Journal } from "./journal.js";
import { snapshotIn } from "./cut.js";
import type { ImageInfo } from "./messages.js";
import type { Options } from "./options.js";

const COPY = "Copy the files back: holdstill restore.";

/** Rolls the image back. The snapshot stays. @throws PluginError BUSY, UNSUPPORTED */
export async function revert(entry: Entry, journal: Journal, ctx: Context<Options>): Promise<void> {
  await assertRevertible(entry, journal);
  await unexpose(entry, journal, ctx);
  ctx.progress(`rolling ${entry.imageName} back`);
  await journal.client.request("rollBack", { of: entry.image, name: nameOf.snapshot(entry) }, "patient");
}

/** A snapshot of the image as it is now, which no client has open. */
export async function preserve(entry: Entry, tx: Transaction, journal: Journal): Promise<Entry> {
  await assertRevertible(entry, journal);
  const { shown: _, of: __, ...shared } = entry;
  const id = `${tx.id}.${(await journal.ofSet(tx.id)).length}`;
  const cut = { by: "image" } as const;
  const own = { id, setId: tx.id, createdAt: new Date().toISOString(), held: { as: "planned", cut } } as const;
  const planned = await journal.write({ ...shared, ...own });
  await journal.client.request("createSnapshot", { of: entry.image, name: snapshotName(planned, cut) });
  const snapshot = await snapshotIn(planned, cut, journal.client);
  return await journal.write({ ...planned, held: { as: "snapshot", cut, snapshot } });
}

/** @throws PluginError BUSY if a client has the image open: it would mix what it has cached into the old contents. */
async function assertRevertible(entry: Entry, { client }: Journal): Promise<ImageInfo> {
  const { held, imageName } = entry;
  const refuse = (reason: string, hint = COPY): never => {
    throw new PluginError("UNSUPPORTED", `${imageName} cannot be reverted: ${reason}.`, hint);
  };
  if (held.as === "fork") return refuse("this is a fork, which has no original");
  if (held.cut.by === "group") {
    const { pool, name } = held.cut.group;
    const all = `To roll all members of the group back: rbd group snap rollback ${pool}/${name}@${nameOf.groupSnapshot(entry.setId)}`;
    return refuse("the snapshot is one of a group, which is rolled back as a whole", all);
  }
  const info = await infoOf(entry.image, client);
  if (info === null) return refuse("it no longer exists");
  const [user] = info.watchers;
  if (user === undefined) return info;
  const message = `${info.name} is mapped or open, by the client at ${user}. A mapped image is never rolled back.`;
  throw new PluginError("BUSY", message, `Unmount it, and unmap it: rbd device unmap; rbd status shows its clients.`);
}
