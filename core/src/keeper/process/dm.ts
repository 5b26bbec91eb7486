import type { DmTarget } from "../../base/schema/types.js";

/** struct dm_ioctl, linux/dm-ioctl.h: the fields' offsets, bytes. The interface is at version 4.0.0 since Linux 2.6. */
const offsets = { version: 0, dataSize: 12, dataStart: 16, targetCount: 20, flags: 28, dev: 40, name: 48, uuid: 176 };
const HEADER = 312;
const NAME_LENGTH = 128;
const UUID_LENGTH = 129;
/** struct dm_target_spec: start and length (u64), status (s32), next (u32), type (char[16]). */
const SPEC = 40;
/** Space for a target's answer to a message, bytes. The answer is not read. */
const ANSWER_SIZE = 4096;

const DM_SUSPEND_FLAG = 1 << 1;

/** _IOWR(0xfd, command, struct dm_ioctl), linux/dm-ioctl.h */
const request = (command: number): number => 0xc138fd00 + command;
const commands = { create: 3, remove: 4, suspend: 6, status: 7, load: 9, message: 14 } as const;

/** A device, by its name or by its number. The kernel accepts one of the two, not both. */
export type DmDevice = { name: string } | { dev: bigint };

/** An ioctl for /dev/mapper/control, made ready. The kernel writes its answer into the buffer. */
export interface DmIoctl {
  readonly request: number;
  readonly buffer: Buffer;
}

export const suspendDevice = (device: DmDevice): DmIoctl => call("suspend", device, { flags: DM_SUSPEND_FLAG });
/** Also makes a loaded table the active one: drivers/md/dm-ioctl.c, do_resume. */
export const resumeDevice = (device: DmDevice): DmIoctl => call("suspend", device, {});
export const deviceStatus = (device: DmDevice): DmIoctl => call("status", device, {});
export const removeDevice = (device: DmDevice): DmIoctl => call("remove", device, {});

/** An empty device. It does nothing until a table is loaded and it is resumed. */
export function createDevice(name: string, uuid = ""): DmIoctl {
  const made = call("create", { name }, {});
  writeText(made.buffer, uuid, offsets.uuid, UUID_LENGTH);
  return made;
}

/** The table goes into the inactive slot and takes effect with resume. */
export function loadTable(device: DmDevice, table: readonly DmTarget[]): DmIoctl {
  return call("load", device, { data: Buffer.concat(table.map(specOf)), targets: table.length });
}

/** struct dm_target_msg: the sector (u64), and the message with a zero at its end. */
export function sendMessage(device: DmDevice, text: string, sector = 0): DmIoctl {
  const data = Buffer.alloc(8 + ANSWER_SIZE);
  data.writeBigUInt64LE(BigInt(sector));
  writeText(data, text, 8, ANSWER_SIZE);
  return call("message", device, { data });
}

/** From the kernel's answer about a device. */
export const devOf = ({ buffer }: DmIoctl): bigint => buffer.readBigUInt64LE(offsets.dev);
export const isSuspended = ({ buffer }: DmIoctl): boolean =>
  (buffer.readUInt32LE(offsets.flags) & DM_SUSPEND_FLAG) !== 0;

/** Fields of the header besides the device. */
interface Fields {
  flags?: number;
  data?: Buffer;
  targets?: number;
}

function call(command: keyof typeof commands, device: DmDevice, { flags = 0, data, targets = 0 }: Fields): DmIoctl {
  const buffer = Buffer.alloc(HEADER + (data?.length ?? 0));
  buffer.writeUInt32LE(4, offsets.version);
  buffer.writeUInt32LE(buffer.length, offsets.dataSize);
  buffer.writeUInt32LE(HEADER, offsets.dataStart);
  buffer.writeUInt32LE(targets, offsets.targetCount);
  buffer.writeUInt32LE(flags, offsets.flags);
  if ("dev" in device) buffer.writeBigUInt64LE(device.dev, offsets.dev);
  else writeText(buffer, device.name, offsets.name, NAME_LENGTH);
  data?.copy(buffer, HEADER);
  return { request: request(commands[command]), buffer };
}

/** One target of a table. `next` counts from the start of this one (dm-ioctl.c, next_target), in steps of 8 bytes. */
function specOf({ start, length, type, params }: DmTarget): Buffer {
  const text = Buffer.from(`${params}\0`);
  const spec = Buffer.alloc(SPEC + Math.ceil(text.length / 8) * 8);
  spec.writeBigUInt64LE(BigInt(start), 0);
  spec.writeBigUInt64LE(BigInt(length), 8);
  spec.writeUInt32LE(spec.length, 20);
  writeText(spec, type, 24, 16);
  text.copy(spec, SPEC);
  return spec;
}

function writeText(buffer: Buffer, text: string, offset: number, size: number): void {
  if (Buffer.byteLength(text) >= size) throw new RangeError(`${text.slice(0, 40)}… is too long for device-mapper`);
  buffer.write(text, offset);
}
