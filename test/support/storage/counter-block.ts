import { crc32 } from "node:zlib";

/** One block of a counter's file: the number of the step, when it was written, and the CRC-32 of all the rest. */
export interface Block {
  readonly seq: number;
  /** Wall clock, ms since 1970. */
  readonly at: number;
}

/** A page, so that the kernel writes a block whole or not at all. */
export const blockSize = 4096;

/** A file holds the newest steps, in a ring: step n lies at n modulo this. */
export const ringBlocks = 64;

export const counterFile = "counter";

/** Everything after the head depends on the number, so that a block with parts of two steps has a wrong CRC. */
export function encodeBlock({ seq, at }: Block, block: Buffer): void {
  block.fill(1 + (seq % 251), 20);
  block.writeBigUInt64LE(BigInt(seq), 4);
  block.writeDoubleLE(at, 12);
  block.writeUInt32LE(crc32(block.subarray(4)), 0);
}

/** null: never written. Throws when the block is not whole. */
export function decodeBlock(block: Buffer): Block | null {
  if (block.every((byte) => byte === 0)) return null;
  if (block.readUInt32LE(0) !== crc32(block.subarray(4))) throw new Error("its CRC is wrong");
  return { seq: Number(block.readBigUInt64LE(4)), at: block.readDoubleLE(12) };
}
