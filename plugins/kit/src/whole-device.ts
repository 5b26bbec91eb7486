import { closeSync, openSync, readSync } from "node:fs";
import { mountsOf } from "./mounts.js";

/** ext4's superblock and its fields (Documentation/filesystems/ext4/super.rst), bytes. */
const EXT4 = { at: 1024, size: 1024, compatible: 0x5c, journalInode: 0xe0, hasJournal: 0x4 };

/**
 * What else a mounted file system lies on than its own device, in a few words; null: nothing. A snapshot of the one device alone could
 * not be mounted. The device must not be suspended, since it is read.
 */
export function beside({ number, node }: { number: string; node: string }, fsType: string): string | null {
  if (fsType === "xfs") {
    const options = mountsOf([number]).flatMap((mount) => mount.options);
    const other = options.find((option) => /^(logdev|rtdev)=/.test(option));
    return other === undefined
      ? null
      : `its ${other.startsWith("log") ? "log" : "realtime section"} is on ${other.slice(other.indexOf("=") + 1)}`;
  }
  if (fsType !== "ext3" && fsType !== "ext4") return null;
  return hasOuterJournal(node) ? "its journal is on another device" : null;
}

function hasOuterJournal(node: string): boolean {
  const block = Buffer.alloc(EXT4.size);
  const fd = openSync(node, "r");
  try {
    readSync(fd, block, 0, EXT4.size, EXT4.at);
  } finally {
    closeSync(fd);
  }
  const hasJournal = (block.readUInt32LE(EXT4.compatible) & EXT4.hasJournal) !== 0;
  return hasJournal && block.readUInt32LE(EXT4.journalInode) === 0;
}
