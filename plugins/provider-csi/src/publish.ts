import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { mountsOf, readMounts, unmount } from "#kit/mounts.js";
import { isWithin } from "#kit/paths.js";
import { assertUnpinned } from "#kit/pinned.js";
import { capabilityOf } from "./clone.js";
import type { Connection } from "./connection.js";
import { driverOf } from "./driver.js";
import type { Entry } from "./entry.js";
import { PluginError } from "./errors.js";
import type { Volume } from "./messages.js";
import type { Options } from "./options.js";
import { numberOf } from "./source.js";

/** Where the driver mounts the volume of an entry: its folder, and in that the paths of the specification. */
interface Places {
  readonly base: string;
  readonly stage: string;
  readonly target: string;
}

function placesOf({ id }: Entry, { options, dataDir }: Context<Options>): Places {
  const base = path.join(options.nodeDir ?? path.join(dataDir, "node"), id);
  return { base, stage: path.join(base, "stage"), target: path.join(base, "target") };
}

/** Attaches a volume to this host, and has the driver mount it, or make its device. @returns The path of that. */
export async function publish(
  volume: Volume,
  entry: Entry,
  connection: Connection,
  ctx: Context<Options>,
): Promise<string> {
  const { base, stage, target } = placesOf(entry, ctx);
  const { attaches, stages } = await waysOf(connection, ctx);
  const request = { ...volume, volumeCapability: capabilityOf(entry), secrets: connection.secrets };
  const { publishContext } = attaches
    ? await connection.call("ControllerPublishVolume", { ...request, ...(await nodeOf(connection)), readonly: false })
    : { publishContext: {} };
  mkdirSync(stages ? stage : base, { recursive: true, mode: 0o700 });
  const staged = { ...request, publishContext };
  if (stages) await connection.call("NodeStageVolume", { ...staged, stagingTargetPath: stage });
  // Read-only is how it is mounted for the caller: the journal may have to be replayed first.
  await connection.call("NodePublishVolume", {
    ...staged,
    ...(stages && { stagingTargetPath: stage }),
    targetPath: target,
    readonly: false,
  });
  return target;
}

/** Undoes that, as far as it went, and what was mounted of the volume elsewhere. Idempotent. */
export async function unpublish(
  volumeId: string,
  entry: Entry,
  connection: Connection,
  ctx: Context<Options>,
): Promise<void> {
  const { base, stage, target } = placesOf(entry, ctx);
  const published = readMounts().find(({ point }) => point === target)?.number;
  const numbers = [entry.source.access === "block" ? numberOf(target) : published].filter(
    (one) => typeof one === "string",
  );
  for (const { point } of mountsOf(numbers)) if (!isWithin(point, base)) await unmount(point, ctx);
  const { attaches, stages } = await waysOf(connection, ctx);
  try {
    await connection.undo("NodeUnpublishVolume", { volumeId, targetPath: target });
    if (stages) await connection.undo("NodeUnstageVolume", { volumeId, stagingTargetPath: stage });
    if (attaches) {
      const node = await nodeOf(connection);
      await connection.undo("ControllerUnpublishVolume", { volumeId, ...node, secrets: connection.secrets });
    }
  } catch (error) {
    assertUnpinned(entry.id, numbers);
    throw error;
  }
  const left = readMounts().find(({ point }) => isWithin(point, base));
  if (left !== undefined) {
    const message = `The driver has unpublished ${volumeId}, but ${left.point} is still mounted.`;
    throw new PluginError("BUSY", message, `umount ${left.point}; then run the command again.`);
  }
  rmSync(base, { recursive: true, force: true });
}

async function waysOf(connection: Connection, ctx: Context<Options>): Promise<{ attaches: boolean; stages: boolean }> {
  const { can } = await driverOf(connection, ctx);
  const { capabilities } = await connection.call("NodeGetCapabilities", {});
  return {
    attaches: can.has("PUBLISH_UNPUBLISH_VOLUME"),
    stages: capabilities.some(({ rpc }) => rpc?.type === "STAGE_UNSTAGE_VOLUME"),
  };
}

async function nodeOf(connection: Connection): Promise<{ nodeId: string }> {
  const { nodeId } = await connection.call("NodeGetInfo", {});
  return { nodeId };
}
