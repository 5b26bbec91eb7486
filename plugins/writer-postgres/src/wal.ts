/**
 * Names and places in the write-ahead log. A WAL position (LSN) is a byte number, written as two hexadecimal halves; the log
 * is cut into files of one size, each named after timeline and number (manual, "WAL Internals").
 */

/** The first and last byte number of the WAL that a copy needs, by the files that hold them. */
export interface WalRange {
  readonly timeline: number;
  readonly segments: readonly string[];
}

/** "16/B374D848" as a number of bytes. */
export function parseLsn(lsn: string): bigint {
  const [high, low] = lsn.split("/");
  if (high === undefined || low === undefined) throw new Error(`not a WAL position: ${lsn}`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** The number of bytes as "16/B374D848". */
export function formatLsn(lsn: bigint): string {
  return [lsn >> 32n, lsn & 0xffff_ffffn].map((half) => half.toString(16).toUpperCase()).join("/");
}

/** The name of a WAL file: timeline, and its number in two halves, of which the lower counts the files of 4 GiB. */
export function segmentName(timeline: number, number: bigint, segmentBytes: number): string {
  const perHalf = 0x1_0000_0000n / BigInt(segmentBytes);
  const parts = [BigInt(timeline), number / perHalf, number % perHalf];
  return parts.map((part) => part.toString(16).toUpperCase().padStart(8, "0")).join("");
}

/** The number of a WAL file; undefined if it is none. */
export function segmentNumber(name: string, segmentBytes: number): bigint | undefined {
  const [, high, low] = /^[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})$/.exec(name) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return BigInt(`0x${high}`) * (0x1_0000_0000n / BigInt(segmentBytes)) + BigInt(`0x${low}`);
}

/** The WAL files from the start that backup_label names through the one that holds the last byte before `stopLsn`. */
export function walRange(label: string, stopLsn: string, segmentBytes: number): WalRange {
  const start = /^START WAL LOCATION: ([0-9A-F]+\/[0-9A-F]+) \(file ([0-9A-F]{8})[0-9A-F]{16}\)$/m.exec(label);
  if (start?.[1] === undefined || start[2] === undefined) throw new Error(`no start in backup_label: ${label}`);
  const timeline = Number.parseInt(start[2], 16);
  const size = BigInt(segmentBytes);
  const segments: string[] = [];
  const last = (parseLsn(stopLsn) - 1n) / size;
  for (let number = parseLsn(start[1]) / size; number <= last; number += 1n) {
    segments.push(segmentName(timeline, number, segmentBytes));
  }
  return { timeline, segments };
}

/** The file with the history of a timeline; timeline 1 has none. */
export function historyFile(timeline: number): string | undefined {
  return timeline > 1 ? `${timeline.toString(16).toUpperCase().padStart(8, "0")}.history` : undefined;
}
