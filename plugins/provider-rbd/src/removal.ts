import type { Context } from "holdstill/plugin";
import { type Entry, nameOf, snapshotName } from "./entry.js";
import { unexpose } from "./exposure.js";
import { infoOf, removeImage, unless } from "./image.js";
import type { Journal } from "./journal.js";
import type { GroupRef } from "./messages.js";
import type { Options } from "./options.js";

/**
 * Removes a snapshot or a fork in any state. What no longer exists is a success.
 *
 * A request of a client that was killed may still be on its way. So a snapshot that was planned is taken once more before it is removed:
 * its id is newer, and after it the cluster refuses an older one (ESTALE: cls_rbd.cc, snapshot_add).
 *
 * @throws PluginError BUSY
 */
export async function remove(entry: Entry, journal: Journal, ctx: Context<Options>): Promise<void> {
  const hidden = await unexpose(entry, journal, ctx);
  const { held, image } = hidden;
  const { client } = journal;
  if (held.as === "fork") {
    await removeImage(image, nameOf.fork(hidden), client, ctx);
    await journal.remove(hidden);
  } else if (held.cut.by === "group") {
    await removeMember(hidden, held.cut.group, journal);
  } else {
    const name = snapshotName(hidden, held.cut);
    if (held.as === "planned" && (await infoOf(image, client)) !== null)
      await unless("EXISTS", client.request("createSnapshot", { of: image, name }), null);
    await unless("NOT_FOUND", client.request("removeSnapshot", { of: image, name }, "patient"), null);
    await journal.remove(hidden);
  }
}

/** The cluster removes the snapshot of a group as a whole: with the last member that the set has. */
async function removeMember(entry: Entry, group: GroupRef, journal: Journal): Promise<void> {
  await journal.write(asked(entry));
  const members = (await journal.ofSet(entry.setId)).filter((one) => isMember(one, group));
  if (members.some(({ held }) => held.as !== "fork" && held.removal !== "asked")) return;
  const name = nameOf.groupSnapshot(entry.setId);
  if (members.some(({ held }) => held.as === "planned"))
    await unless(
      "NOT_FOUND",
      unless("EXISTS", journal.client.request("createGroupSnapshot", { group, name }), null),
      null,
    );
  await unless("NOT_FOUND", journal.client.request("removeGroupSnapshot", { group, name }, "patient"), null);
  for (const member of members) await journal.remove(member);
}

const asked = (entry: Entry): Entry =>
  entry.held.as === "fork" ? entry : { ...entry, held: { ...entry.held, removal: "asked" } };

const isMember = ({ held }: Entry, group: GroupRef): boolean =>
  held.as !== "fork" && held.cut.by === "group" && JSON.stringify(held.cut.group) === JSON.stringify(group);
