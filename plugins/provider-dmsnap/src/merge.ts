import { closeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import { findByName, findByUuid } from "./devices.js";
import { CHUNK, Mapper, whole } from "./mapper.js";
import { realOf, snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { openUnused } from "./origin.js";
import { assertSound, hide } from "./picture.js";
import { readBootId } from "./reassembly.js";
import { Refusal } from "./refusal.js";
import type { Entry, Registry } from "./registry.js";
import { makeReal, snapshotTable, stack } from "./stack.js";
import { assemble } from "./store.js";

/** Between two looks at how far the kernel is, ms. */
const PAUSE_MS = 200;

/**
 * Puts the picture back into its origin, which nobody may use meanwhile: the kernel copies what the store has kept
 * (Documentation/admin-guide/device-mapper/snapshot.rst, snapshot-merge). The snapshot stays: it is equal to the origin then. The
 * state on disk is `reverting` until all is done, and a revert that was cut off goes on when it is asked for again.
 */
export async function revert(before: Entry, registry: Registry, ctx: Context<Options>): Promise<void> {
  if (before.of !== undefined || registry.ofSet(before.setId).some(({ of }) => of === before.id)) {
    const message = `The snapshot ${before.id} is a fork or has one, so it cannot be put back: that would take it from the other.`;
    throw new Refusal("UNSUPPORTED", message, "Copy the files from where it is exposed.");
  }
  if (before.exceptions === "transient") {
    const message = `The snapshot ${before.id} is transient, so it cannot be put back: the kernel merges persistent stores only.`;
    throw new Refusal("UNSUPPORTED", message, "Copy the files from where it is exposed.");
  }
  const mapper = new Mapper(ctx);
  const { name } = before.origin;
  const device = findByName(name);
  if (device?.uuid !== before.origin.uuid) {
    throw new Refusal("UNSUPPORTED", `The origin ${name} is not there.`, "Open it, but do not mount it.");
  }
  const fd = openUnused(device);
  try {
    const entry = await hide(before, registry, ctx);
    if (entry.state !== "reverting") await assertSound(entry, registry, mapper);
    registry.write({ ...entry, state: "reverting" });
    await merge(entry, mapper, ctx);
    await stack(entry.origin, mapper);
    const label = snapshotOf(entry);
    await mapper.create(label, snapshotTable(entry, await assemble(entry.store, label, ctx)));
    registry.write({ ...entry, state: "sealed", bootId: readBootId() });
  } finally {
    closeSync(fd);
  }
}

async function merge(entry: Entry, mapper: Mapper, ctx: Context<Options>): Promise<void> {
  const { name, sectors } = entry.origin;
  const [live] = await mapper.table(name);
  if (live?.type !== "snapshot-merge") {
    const device = findByName(name);
    if (device !== undefined && live?.type !== "snapshot-origin") {
      await makeReal({ ...device, table: await mapper.table(name) }, mapper);
    }
    await mapper.remove(snapshotOf(entry));
    const real = findByUuid(realOf(name).uuid)?.number;
    const store = await assemble(entry.store, snapshotOf(entry), ctx);
    await mapper.load(name, whole(sectors, "snapshot-merge", `${real} ${store} P ${CHUNK}`));
    await mapper.resume(name);
  }
  for (let all: number | null = null; ; await sleep(PAUSE_MS, undefined, { signal: ctx.signal })) {
    const fill = await mapper.fill(name);
    if (fill.state === "invalid") {
      const message = `The kernel gave up putting ${entry.id} back into ${name}: ${fill.why}.`;
      throw new Refusal("REVERTING", message, "Look at the kernel's log, mend the disk, and revert again.");
    }
    const left = fill.usedSectors - fill.metadataSectors;
    if (left <= 0) return;
    all ??= left;
    ctx.progress(`putting ${name} back`, all - left, all);
  }
}
