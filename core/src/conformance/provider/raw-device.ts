import { closeSync, constants, fsyncSync, openSync, readSync, realpathSync, statSync, writeSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { devicesBelowNode } from "../../os/blockdevices.js";
import { locate } from "../../plan/locate.js";
import { checkExposeAnswer } from "../../transaction/check-expose-answer.js";
import type { Volume } from "../../base/schema/types.js";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { ProviderScenario } from "./stage.js";

export const rawDeviceChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "raw-device",
    group: "The snapshot",
    title:
      "The snapshot of a raw device is a separate block device with the contents of the cut, and read-only if that is asked for.",
    next: "Expose the snapshot as a device that no other process can write to, and name it in `devices`. Leave the original out of it.",
    needs: ["loads"],
    async run({ rig }) {
      const { devices } = rig.fixture;
      if (rig.manifest.volumes?.includes("block") !== true) throw new Skip("the manifest does not name raw devices");
      if (devices === undefined) throw new Skip("conformance.json has no `devices`");
      const stage = new ProviderScenario(rig);
      try {
        await checkDevices(stage, rawVolumes(devices));
      } catch (error) {
        await stage.cleanUp();
        throw error;
      }
    },
  },
];

async function checkDevices(stage: ProviderScenario, volumes: Volume[]): Promise<void> {
  const session = await stage.worker();
  stage.volumes = volumes;
  for (const volume of volumes) {
    const qualities = await stage.rig.call(session, "match", [volume]);
    if (qualities === null) throw new CheckFailure(`match returned null for the raw device ${volume.paths.join(" ")}.`);
    stage.qualities.push(qualities);
  }
  const contents = new Map(stage.paths.map((device) => [device, fill(device, (size) => randomBytes(size))]));
  const act = await stage.upTo("seal", session);
  for (const device of stage.paths) fill(device, (size) => Buffer.alloc(size));
  for (const snapshot of act.snapshots) {
    const volume = volumes.find(({ id }) => id === snapshot.volumeId);
    const exposed = await stage.expose(session, snapshot);
    checkExposeAnswer(session.who, exposed, volume);
    for (const { original, path } of exposed.devices ?? []) {
      if (!contents.get(original)?.equals(read(path)))
        throw new CheckFailure(`${path} does not have the contents that ${original} had at the cut.`);
      if (exposed.readOnly && isWritable(path))
        throw new CheckFailure(`${path} can be written to, although its view is read-only.`);
    }
    await stage.unexpose(session, snapshot);
  }
  await stage.remove(act);
  stage.forget();
}

export function rawVolumes(devices: readonly string[]): Volume[] {
  const { volumes } = locate(devices.map((device) => ({ paths: [device], exclude: [] })));
  const other = volumes.find(({ kind }) => kind !== "block");
  if (other === undefined) return volumes;
  throw new CheckFailure(`${other.paths.join(" ")} is not a raw block device.`, "Name block devices in `devices`.");
}

/** Changes a device. */
export const fillDevice = (device: string): void => void fill(device, (size) => randomBytes(size));

/** What is compared at the beginning, in the middle, and at the end, bytes. */
const PART = 65_536;

/** Writes to the parts of a device that are compared, past the caches. @returns All that was written. */
function fill(device: string, contentOf: (size: number) => Buffer, offsets = offsetsIn(device)): Buffer {
  const fd = openSync(device, constants.O_WRONLY);
  try {
    const parts = offsets.map((at) => {
      const part = contentOf(PART);
      writeSync(fd, part, 0, PART, at);
      return part;
    });
    fsyncSync(fd);
    return Buffer.concat(parts);
  } finally {
    closeSync(fd);
  }
}

function read(device: string): Buffer {
  const fd = openSync(device, constants.O_RDONLY);
  try {
    const parts = offsetsIn(device).map((at) => {
      const part = Buffer.alloc(PART);
      readSync(fd, part, 0, PART, at);
      return part;
    });
    return Buffer.concat(parts);
  } finally {
    closeSync(fd);
  }
}

/** Tries with what is there anyway. The kernel may refuse the write only, and not that the device is opened for it. */
function isWritable(device: string): boolean {
  const present = read(device).subarray(0, PART);
  try {
    fill(device, () => present, [0]);
    return true;
  } catch {
    return false;
  }
}

function offsetsIn(device: string): number[] {
  const size = devicesBelowNode(realpathSync(device))[0]?.sizeBytes ?? 0;
  if (!statSync(device).isBlockDevice() || size < 3 * PART)
    throw new CheckFailure(`${device} is not a block device of at least ${3 * PART} bytes.`);
  const middle = Math.floor(size / 2 / PART) * PART;
  return [0, middle, size - PART];
}
