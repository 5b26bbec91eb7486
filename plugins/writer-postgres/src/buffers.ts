import { leastRepairMemory, repairMemory } from "#kit/repair-memory.js";
import { Folder } from "./folder.js";
import type { Options } from "./options.js";
import { usualWalSegmentBytes } from "./settings.js";
import type { WritableSnapshot } from "./snapshot.js";
import { parseLsn, segmentNumber } from "./wal.js";

/** shared_buffers of a server on the snapshot, MiB: as configured, or enough for the WAL that it has to replay. */
export function buffersMb(snapshot: WritableSnapshot, { repairMemoryMb }: Pick<Options, "repairMemoryMb">): number {
  return repairMemoryMb ?? repairMemory(pagesPerWal * walBytes(snapshot)) / 2 ** 20;
}

/** Of a server that has nothing to replay, MiB. */
export const leastBuffersMb = leastRepairMemory / 2 ** 20;

/** The first change of a page after a checkpoint is logged with the whole page, less its hole (manual, full_page_writes). */
const pagesPerWal = 1.5;

/**
 * WAL from where redo begins, bytes, in whole segments. What is only kept to be used again has the addresses of its former use
 * (src/include/access/xlog_internal.h, XLogPageHeaderData).
 */
export function walBytes(snapshot: WritableSnapshot): number {
  const { facts } = snapshot;
  const size = facts.walSegmentBytes ?? usualWalSegmentBytes;
  const first = parseLsn(snapshot.control().redoLsn) / BigInt(size);
  const folder = Folder.open(snapshot.placeOf(facts.walDir));
  try {
    const written = folder.entries().filter((entry) => {
      const number = entry.isFile() ? segmentNumber(entry.name, size) : undefined;
      if (number === undefined || number < first) return false;
      const header = folder.read(entry.name, 16);
      return header.length === 16 && header.readBigUInt64LE(8) === number * BigInt(size);
    });
    return written.length * size;
  } finally {
    folder.close();
  }
}
