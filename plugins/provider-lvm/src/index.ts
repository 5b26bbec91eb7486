import type { CommitOp, Context, HoldTarget, Provider, Transaction, Volume } from "holdstill/plugin";
import { Owed } from "#kit/owed.js";
import { nameOf } from "#kit/volume-name.js";
import { beside } from "#kit/whole-device.js";
import { formatBytes } from "#kit/size.js";
import { diff } from "./changes.js";
import { assertKey, cryptOf } from "./crypt.js";
import { unexpose, expose } from "./exposure.js";
import { fork } from "./fork.js";
import { assertGroup } from "./group.js";
import { type Intent, undoLvcreate } from "./interrupted-lvcreate.js";
import { hasGroup, type LogicalVolume, pathOf, readAllocatable, readVolumes } from "./logical-volume.js";
import { forgetGroups, knowGroups, unseenGroups } from "./known-groups.js";
import { lvm } from "./lvm.js";
import { deviceName } from "./mapper.js";
import type { Options } from "./options.js";
import { assertSnapshotable, isThin, hiddenBelow, originBelow, originOf, poolOf } from "./origin.js";
import { assertOpens } from "./opens.js";
import { type Own, ownOf, snapshotName, tag, tagged, unmarked } from "./ownership.js";
import { groupMissing, PluginError } from "./errors.js";
import { removeAll } from "./removal.js";
import { preserve, revert } from "./revert.js";
import { describeNow, find, toSnapshot } from "./snapshot.js";
import { assertSpace, sizesOf, spaceOf, watch } from "./space.js";
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

const provider: Provider<Options, Volume> = {
  async match(volume, ctx) {
    if (volume.devices.length === 0) return null;
    const all = await (reading ??= readAllocatable(ctx).finally(() => (reading = undefined)));
    const origin = originOf(volume, all);
    if (origin === null) return notOnTop(volume, all);
    // Its copy would have the same UUID, which btrfs takes for another device of the same file system.
    if (volume.kind !== "block" && volume.fsType === "btrfs") return null;
    assertSnapshotable(origin);
    const crypt = cryptOf(volume);
    if (crypt !== null) await assertKey(crypt, origin, ctx);
    assertReady([origin], all, ctx);
    assertWholeVolume(volume);
    return {
      pointInTime: true,
      hold: holdOf(volume, origin),
      writable: true,
      revert: true,
      method: isThin(origin) ? "thin" : "thick",
      where: isThin(origin) ? `${origin.vg.name}/${origin.pool}` : origin.vg.name,
      space: spaceOf(origin, all, ctx.options),
    };
  },

  async prepare(tx, volumes, ctx) {
    const all = await readAllocatable(ctx);
    const parts = plan(tx, volumes, all, ctx);
    underway.set(tx.id, parts);
    const intents = parts.map(({ origin, name }) => ({
      group: origin.vg.uuid,
      origin: deviceName(origin),
      snapshot: deviceName({ vg: origin.vg, name }),
    }));
    owedBy(tx, ctx).write(intents);
    for (const [done, part] of parts.entries()) {
      ctx.progress(`snapshot of ${pathOf(part.origin)}`, done, parts.length);
      await make(tx, part, ctx);
    }
    owedBy(tx, ctx).write(intents.map((intent) => ({ ...intent, lvcreate: "ended" })));
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
    for (const { own, volume } of made) await assertOpens(own, volume, all, ctx);
    for (const vg of new Set(snapshots.map((snapshot) => snapshot.vg.name))) {
      const paths = snapshots.filter((snapshot) => snapshot.vg.name === vg).map(pathOf);
      await lvm(ctx, "lvchange", ["--addtag", tag.cut(cutAt), ...paths]);
    }
    owedBy(tx, ctx).settle();
    knowGroups(
      snapshots.map(({ vg }) => vg),
      ctx,
    );
    return made.map(({ own, volume }) => toSnapshot({ ...own, cutAt }, volume));
  },

  async abort(tx, ctx) {
    const owed = owedBy(tx, ctx);
    const errors: unknown[] = [];
    for (const intent of owed.read() ?? []) {
      await undoLvcreate(intent, ctx).catch((error: unknown) => errors.push(error));
    }
    const all = await readVolumes(ctx);
    const intents = owed.read() ?? [];
    for (const { group, snapshot } of intents) {
      if (!(await hasGroup(group, all, ctx))) errors.push(groupMissing(snapshot, tx.id));
    }
    const named = new Set(intents.map(({ snapshot }) => snapshot));
    const isNamed = (volume: LogicalVolume): boolean => named.has(deviceName(volume));
    const ours = all
      .flatMap((volume) => ownOf(volume) ?? (isNamed(volume) ? unmarked(volume, tx.id) : []))
      .filter(({ setId }) => setId === tx.id);
    errors.push(...(await removeAll(ours, all, ctx)));
    if (errors.length > 0) throw errors[0];
    owed.settle();
    underway.delete(tx.id);
    if (ours.length > 0) await forgetGroups(await readVolumes(ctx), ctx);
  },

  async list(ctx) {
    const all = await readVolumes(ctx);
    const ours = all.flatMap((volume) => ownOf(volume) ?? []).filter(({ role }) => role !== "scratch");
    for (const { volume } of ours) watch(volume, all, ctx);
    const snapshots = ours.map((own) => describeNow(own, all));
    const unseen = await unseenGroups(all, ctx);
    return unseen.length === 0 ? snapshots : { snapshots, unseen };
  },

  expose,
  unexpose,
  fork,
  preserve,
  revert,
  diff,

  async remove(snapshot, ctx) {
    const all = await readVolumes(ctx);
    const own = await find(snapshot, all, ctx);
    const errors = own === null ? [] : await removeAll([own], all, ctx);
    if (errors.length > 0) throw errors[0];
    if (own !== null) await forgetGroups(await readVolumes(ctx), ctx);
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

/** A snapshot of a part of a file system could not be mounted. @throws PluginError UNSUPPORTED */
function assertWholeVolume(volume: Volume): void {
  if (volume.kind === "block") return;
  const { mountPoint, fsType, devices } = volume;
  const [top] = devices;
  const other = top === undefined ? null : beside({ number: top.number, node: `/dev/${top.name}` }, fsType);
  if (other === null) return;
  const message = `${mountPoint} is not on one volume: ${other}.`;
  throw new PluginError("UNSUPPORTED", message, "Name a provider before this one in the config that copies.");
}

function notOnTop(volume: Volume, all: readonly LogicalVolume[]): null {
  const hidden = hiddenBelow(volume, all);
  if (hidden !== undefined) {
    const message = `${nameOf(volume)} is on the logical volume ${hidden}, which LVM does not report.`;
    const hint =
      "A filter or devices file hides its disks: lvmconfig devices, lvmdevices; or name another provider first.";
    throw new PluginError("HIDDEN", message, hint);
  }
  const below = originBelow(volume, all);
  if (below === null) return null;
  const [top] = volume.devices;
  const message = `${nameOf(volume)} is on ${pathOf(below)}, but with ${top?.kind} ${top?.label ?? top?.name} in between.`;
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
        `${nameOf(volume)} is not on a logical volume any more.`,
        "Run the command again.",
      );
    assertSnapshotable(origin);
    return { volume, origin };
  });
  const spaces = assertReady(
    origins.map(({ origin }) => origin),
    all,
    ctx,
  );
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

/**
 * Refuses what LVM has no place for; `match` asks it of each volume, and `prepare` of all at once.
 *
 * @returns The space of each thick snapshot, bytes.
 * @throws PluginError NO_SPACE, POOL_FULL, UNSUPPORTED
 */
function assertReady(
  origins: readonly LogicalVolume[],
  all: readonly LogicalVolume[],
  ctx: Context<Options>,
): Map<LogicalVolume, number> {
  for (const origin of origins) {
    const { uuid } = origin.vg;
    assertGroup(origin, origins.filter(({ vg }) => vg.uuid === uuid).length, all);
  }
  for (const pool of new Set(origins.flatMap((origin) => poolOf(origin, all) ?? []))) {
    assertSpace(pool, ctx.options, ctx);
  }
  const thick = origins.filter((origin) => !isThin(origin));
  const sizes = sizesOf(thick, ctx.options);
  return new Map(thick.map((origin, at) => [origin, sizes[at] ?? 0]));
}

/** An ordinary LVM snapshot. The commit captures its contents again. */
async function make(tx: Transaction, part: Part, ctx: Context<Options>): Promise<void> {
  const { origin, name, space, volume } = part;
  const id = pathOf({ vg: origin.vg, name });
  const tags = tagged([
    tag.role("snapshot"),
    tag.set(tx.id),
    tag.id(id),
    tag.captured(volume.id),
    ...tag.kind(volume.kind),
  ]);
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
