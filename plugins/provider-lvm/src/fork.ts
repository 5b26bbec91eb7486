import path from "node:path";
import type { Context, Snapshot } from "holdstill/plugin";
import { makeStore, spaceAbove } from "./layer.js";
import { pathOf, readVolumes } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import { deviceName, expect } from "./mapper.js";
import type { Options } from "./options.js";
import { isThin } from "./origin.js";
import { tag, tagged } from "./ownership.js";
import { PluginError } from "./errors.js";
import { find, findWhole, toSnapshot } from "./snapshot.js";

/** A second, writable snapshot beside the first. */
export async function fork(snapshot: Snapshot, ctx: Context<Options>): Promise<Snapshot> {
  const own = await findWhole(snapshot, await readVolumes(ctx), ctx);
  const { volume, setId, captured, kind, cutAt } = own;
  const name = `${volume.name}-fork`;
  const id = path.join(path.dirname(own.id), name);
  const tags = [
    tag.role("fork"),
    tag.set(setId),
    tag.id(id),
    tag.captured(captured),
    ...tag.kind(kind),
    tag.of(volume.name),
    tag.cut(cutAt ?? ""),
  ];
  const args = ["--yes", "--name", name, ...tagged(tags)];
  if (isThin(volume)) {
    const thin = ["--snapshot", "--permission", "rw", "--setactivationskip", "y", "--ignoremonitoring"];
    await lvm(ctx, "lvcreate", [...args, ...thin, pathOf(volume)]);
  } else await makeStore(volume, spaceAbove(volume, expect(deviceName(volume))), args, ctx);
  const made = await find({ ...snapshot, id: `${volume.vg.name}/${name}`, facts: {} }, await readVolumes(ctx), ctx);
  if (made === null)
    throw new PluginError("CHANGED", `${name} was removed meanwhile.`, "Another LVM command may have removed it.");
  const described = toSnapshot(made);
  return { ...described, facts: { ...snapshot.facts, ...described.facts } };
}
