import { readFileSync, statSync } from "node:fs";
import type { Context } from "holdstill/plugin";
import { findByName, findByUuid } from "#kit/mapped-devices.js";
import type { Entry } from "./entry.js";
import { generationOf, isDirty } from "./generation.js";
import { Mapper } from "./mapper.js";
import { snapshotOf } from "./names.js";
import { assertUnused } from "./origin.js";
import { PluginError } from "./errors.js";
import type { Registry } from "./registry.js";
import { makeReal, snapshotTable, stack } from "./stack.js";
import { assemble, awayReasonOf } from "./store.js";

/** Identifies this run of the kernel (random(4)). Device-mapper tables do not outlive it. */
export function readBootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Whether its devices ended with an earlier boot, and its store still exists. */
export function isDetached(entry: Entry): boolean {
  const place = entry.store.kind === "device" ? entry.store.device : entry.store.file;
  return isUnassembled(entry) && statSync(place, { throwIfNoEntry: false }) !== undefined;
}

/** Whether its devices ended with an earlier boot, and its store cannot be looked at: it may still exist. */
export function isAway(entry: Entry): boolean {
  return isUnassembled(entry) && awayReasonOf(entry.store) !== null;
}

function isUnassembled(entry: Entry): boolean {
  const isGone = findByUuid(snapshotOf(entry).uuid) === undefined && entry.bootId !== readBootId();
  return isGone && entry.exceptions === "persistent";
}

/**
 * Assembles a snapshot after a crash of the machine, with all others of its origin: each misses what is written in the meantime.
 * So it must be certain that nothing was written. That is known only of an ext file system that was mounted when the machine
 * crashed, and has been neither mounted, nor checked, nor replayed since.
 */
export async function reassemble(entry: Entry, registry: Registry, ctx: Context): Promise<void> {
  const mapper = new Mapper(ctx);
  const { name, uuid, sectors } = entry.origin;
  const device = findByName(name);
  if (device?.uuid !== uuid || device.sectors !== sectors) {
    throw refused(
      entry,
      `its origin ${name} does not exist, or has another size`,
      "open the origin, but do not mount it",
    );
  }
  assertUnused(device);
  const fsType = entry.kind === "block" ? "" : entry.fsType;
  const generation = await generationOf(fsType, device.node, ctx);
  const proven = generation !== null && generation === entry.generation;
  if (!proven || !(await isDirty(fsType, device.node, ctx))) {
    throw refused(entry, `something may have been written to ${name} since then`, "remove it");
  }
  await makeReal({ ...device, table: await mapper.table(name) }, mapper);
  const own = registry.all().filter((other) => other.origin.name === name && other.state === "sealed");
  const all = [...own.filter(({ of }) => of === undefined), ...own.filter(({ of }) => of !== undefined)];
  for (const other of all.filter((one) => isDetached(one) && one.generation === generation)) {
    const label = snapshotOf(other);
    await mapper.create(label, snapshotTable(other, await assemble(other.store, label, ctx)));
    registry.write({ ...other, bootId: readBootId() });
  }
  await stack(entry.origin, mapper);
}

function refused({ id }: Entry, reason: string, remedy: string): PluginError {
  const message = `The snapshot ${id} was taken before the last boot, and ${reason}: it is not exposed.`;
  return new PluginError("BYPASSED", message, `To continue, ${remedy}.`);
}
