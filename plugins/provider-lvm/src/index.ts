import type { CommitOp, Context, HoldTarget, Provider, Transaction, Volume } from "holdstill/plugin";
import { Owed } from "#kit/owed.js";
import { formatBytes } from "#kit/size.js";
import { assertKey, cryptOf } from "./crypt.js";
import { unexpose, expose } from "./exposure.js";
import { fork } from "./fork.js";
import { type Intent, undoLvcreate } from "./interrupted-lvcreate.js";
import { type LogicalVolume, pathOf, readVolumes } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import { deviceName } from "./mapper.js";
import type { Options } from "./options.js";
import { assertSnapshotable, isThin, originBelow, originOf, poolOf } from "./origin.js";
import { type Own, ownOf, snapshotName, tag, tagged } from "./ownership.js";
import { PluginError } from "./errors.js";
import { removeAll } from "./removal.js";
import { preserve, revert } from "./revert.js";
import { describeNow, find, toSnapshot } from "./snapshot.js";
import { assertSpace, sizesOf, watch } from "./space.js";
import { checkThick, prepareThick } from "./thick.js";
import { prepareThin } from "./thin.js";

/** One volume of the transaction: what is captured, and under what name. */
interface Part {
  readonly volume: Volume;
  readonly origin: LogicalVolume;
  readonly name: string;
  /** Space for what changes while a thick snapshot exists, bytes; null: it is thin. */
  readonly space: number | null;
}

/** From prepare to seal, by the transaction's id. One worker exists for that long; abort uses LVM's tags. */
const underway = new Map<string, Part[]>();

/** All volumes of a plan are matched at the same time: one run of lvs serves all of them. */
let reading: Promise<LogicalVolume[]> | undefined;

const provider: Provider<Options> = {
  async match(volume, ctx) {
    if (volume.devices.length === 0) return null;
    const all = await (reading ??= readVolumes(ctx).finally(() => (reading = undefined)));
    const origin = originOf(volume, all);
    if (origin === null) return notOnTop(volume, all);
    // Its copy would have the same UUID, which btrfs takes for another device of the same file system.
    if (volume.fsType === "btrfs") return null;
    assertSnapshotable(origin);
    const crypt = cryptOf(volume);
    if (crypt !== null) await assertKey(crypt, origin, ctx);
    return {
      pointInTime: true,
      atomicGroup: true,
      hold: holdOf(volume, origin),
      writable: true,
      revert: true,
      method: isThin(origin) ? "thin" : "thick",
      where: isThin(origin) ? `${origin.vg.name}/${origin.pool}` : origin.vg.name,
    };
  },

  async prepare(tx, volumes, ctx) {
    const all = await readVolumes(ctx);
    const parts = plan(tx, volumes, all, ctx);
    underway.set(tx.id, parts);
    const intents = parts.map(({ origin, name }) => ({
      origin: deviceName(origin),
      snapshot: deviceName({ vg: origin.vg, name }),
    }));
    owedBy(tx, ctx).write(intents);
    for (const [done, part] of parts.entries()) {
      ctx.progress(`snapshot of ${pathOf(part.origin)}`, done, parts.length);
      await make(tx, part, ctx);
    }
    const made = await readVolumes(ctx);
    const chains: CommitOp[][] = [];
    for (const part of parts) {
      const { volume: snapshot } = madeOf(part, made);
      chains.push(await (isThin(snapshot) ? prepareThin(snapshot, part.origin, ctx) : prepareThick(snapshot, ctx)));
    }
    return {
      hold: parts.flatMap(({ volume, origin }) => holdOf(volume, origin)),
      commit: [{ op: "parallel", chains }],
    };
  },

  async seal(tx, ctx) {
    const cutAt = new Date().toISOString();
    const parts = underway.get(tx.id) ?? [];
    const all = await readVolumes(ctx);
    const made = parts.map((part) => ({ own: madeOf(part, all), volume: part.volume }));
    const snapshots = made.map(({ own }) => own.volume);
    await checkThick(
      snapshots.filter((snapshot) => !isThin(snapshot)),
      ctx,
    );
    for (const vg of new Set(snapshots.map((snapshot) => snapshot.vg.name))) {
      const paths = snapshots.filter((snapshot) => snapshot.vg.name === vg).map(pathOf);
      await lvm(ctx, "lvchange", ["--addtag", tag.cut(cutAt), ...paths]);
    }
    owedBy(tx, ctx).settle();
    return made.map(({ own, volume }) => toSnapshot({ ...own, cutAt }, volume));
  },

  async abort(tx, ctx) {
    const owed = owedBy(tx, ctx);
    const errors: unknown[] = [];
    for (const intent of owed.read() ?? []) {
      await undoLvcreate(intent, ctx).catch((error: unknown) => errors.push(error));
    }
    const all = await readVolumes(ctx);
    const ours = all.flatMap((volume) => ownOf(volume) ?? []).filter(({ setId }) => setId === tx.id);
    errors.push(...(await removeAll(ours, all, ctx)));
    if (errors.length > 0) throw errors[0];
    owed.settle();
    underway.delete(tx.id);
  },

  async list(ctx) {
    const all = await readVolumes(ctx);
    const ours = all.flatMap((volume) => ownOf(volume) ?? []).filter(({ role }) => role !== "scratch");
    for (const { volume } of ours) watch(volume, all, ctx);
    return ours.map((own) => describeNow(own, all));
  },

  expose,
  unexpose,
  fork,
  preserve,
  revert,

  async remove(snapshot, ctx) {
    const all = await readVolumes(ctx);
    const own = find(snapshot, all);
    const errors = own === null ? [] : await removeAll([own], all, ctx);
    if (errors.length > 0) throw errors[0];
  },
};
export default provider;

/** What an lvcreate of the transaction may have left suspended; written before the first one. */
const owedBy = ({ id }: Transaction, { dataDir }: Context): Owed<readonly Intent[]> => new Owed(dataDir, id);

/**
 * Suspending a device flushes it, and freezes the file system on it. With encryption in between, that is suspended
 * first: the keeper goes from the top down.
 */
function holdOf(volume: Volume, origin: LogicalVolume): HoldTarget[] {
  return [cryptOf(volume), deviceName(origin)].flatMap((name): HoldTarget[] =>
    name === null ? [] : [{ kind: "dm", name }],
  );
}

function notOnTop(volume: Volume, all: readonly LogicalVolume[]): null {
  const below = originBelow(volume, all);
  if (below === null) return null;
  const [top] = volume.devices;
  const message = `${volume.mountPoint} is on ${pathOf(below)}, but with ${top?.kind} ${top?.label ?? top?.name} in between.`;
  throw new PluginError(
    "UNSUPPORTED",
    message,
    "Name another provider before this one in the config, such as one that copies.",
  );
}

/** Everything that can be refused is refused here, before anything is touched. */
function plan(
  tx: Transaction,
  volumes: readonly Volume[],
  all: readonly LogicalVolume[],
  ctx: Context<Options>,
): Part[] {
  const origins = volumes.map((volume) => {
    const origin = originOf(volume, all);
    if (origin === null)
      throw new PluginError(
        "CHANGED",
        `${volume.mountPoint} is no longer on a logical volume.`,
        "Run the command again.",
      );
    assertSnapshotable(origin);
    return { volume, origin };
  });
  for (const pool of new Set(origins.flatMap(({ origin }) => poolOf(origin, all) ?? []))) {
    assertSpace(pool, ctx.options, ctx);
  }
  const thick = origins.map(({ origin }) => origin).filter((origin) => !isThin(origin));
  const spaces = new Map(sizesOf(thick, ctx.options).map((bytes, at) => [thick[at], bytes]));
  const planned = new Set<string>();
  return origins.map(({ volume, origin }) => {
    const name = snapshotName(origin, tx.id, planned);
    planned.add(name);
    if (all.some((other) => other.vg.name === origin.vg.name && other.name === name)) throw taken(origin, name);
    const space = spaces.get(origin) ?? null;
    if (space !== null) ctx.log.info(`${pathOf(origin)}: ${formatBytes(space)} for what changes`);
    return { volume, origin, name, space };
  });
}

/** An ordinary LVM snapshot. The commit captures its contents again. */
async function make(tx: Transaction, part: Part, ctx: Context<Options>): Promise<void> {
  const { origin, name, space, volume } = part;
  const tags = tagged([tag.role("snapshot"), tag.set(tx.id), tag.captured(volume.id)]);
  const size = space === null ? [] : ["--size", `${space}b`];
  const args = ["--yes", "--snapshot", "--permission", "r", "--ignoremonitoring", ...size, "--name", name, ...tags];
  await lvm(ctx, "lvcreate", [...args, pathOf(origin)]);
}

function madeOf(part: Part, all: readonly LogicalVolume[]): Own {
  const found = all.find(({ vg, name }) => vg.uuid === part.origin.vg.uuid && name === part.name);
  const own = found === undefined ? null : ownOf(found);
  if (own === null) throw gone(part);
  return own;
}

function gone({ origin, name }: Part): PluginError {
  const message = `The snapshot ${origin.vg.name}/${name} no longer exists.`;
  return new PluginError("CHANGED", message, "Another LVM command may have removed it. Take the set again.");
}

function taken(origin: LogicalVolume, name: string): PluginError {
  const message = `The volume ${origin.vg.name}/${name} already exists.`;
  return new PluginError("NAME_TAKEN", message, "If it is not needed, remove it: lvremove.");
}
