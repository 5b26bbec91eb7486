import type { Context } from "holdstill/plugin";
import { dmsetup } from "#kit/dmsetup.js";
import { Owed } from "#kit/owed.js";
import { PluginError } from "./errors.js";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { deviceName } from "./mapper.js";

/** What is released after a call that was cut off. */
interface Reserved {
  /** The call has ended by then, ms since the epoch. */
  readonly until: number;
}

/** What a call may take to end after its deadline, ms. */
const GRACE_MS = 10_000;

/**
 * Keeps the metadata of a volume's thin pool as they are now, while a program reads them; the pool itself goes on. A pool can have one
 * such snapshot, and one that a killed process has left is released by the next call. Documentation of the kernel, thin-provisioning.
 *
 * @throws PluginError BUSY, DMSETUP_FAILED
 */
export async function withMetadata<T>(
  { vg, pool }: Pick<LogicalVolume, "vg" | "pool">,
  ctx: Context,
  read: (device: string) => Promise<T>,
): Promise<T> {
  const name = pool ?? "";
  const device = deviceName({ vg, name }, "tpool");
  const message = (text: string): Promise<string> => dmsetup(ctx, ["message", device, "0", text]);
  const owed = new Owed<Reserved>(ctx.dataDir, `metadata-${vg.uuid}-${name}`);
  const left = owed.read();
  if (left !== null) {
    if (left.until > Date.now()) throw busy({ vg, name });
    // It was written down before it was made.
    await message("release_metadata_snap").catch(() => undefined);
    owed.settle();
  }
  owed.write({ until: ctx.deadline + GRACE_MS });
  try {
    await message("reserve_metadata_snap");
  } catch (error) {
    owed.settle();
    throw error instanceof PluginError && error.code === "BUSY" ? busy({ vg, name }) : error;
  }
  try {
    return await read(`/dev/mapper/${deviceName({ vg, name: `${name}_tmeta` })}`);
  } finally {
    // After the deadline no program is run any more: then the next call does it.
    await message("release_metadata_snap").then(
      () => owed.settle(),
      (error: unknown) =>
        ctx.log.warn(`the snapshot of the metadata of ${pathOf({ vg, name })} stays: ${String(error)}`),
    );
  }
}

function busy(pool: Pick<LogicalVolume, "vg" | "name">): PluginError {
  const message = `The metadata of the pool ${pathOf(pool)} are being read by another program, or it has left a snapshot of them.`;
  const hint = `Try again later. If no program reads them: dmsetup message ${deviceName(pool, "tpool")} 0 release_metadata_snap`;
  return new PluginError("BUSY", message, hint);
}
