import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/**
 * The beginning of a file that another user may replace at any time. A link is not followed, a FIFO is not waited for, and only a
 * regular file is read.
 *
 * @param bytes How much is read at most.
 */
export function readBeginning(file: string, bytes: number): Buffer {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${file} is not a regular file`);
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(fd, buffer, 0, bytes, 0));
  } finally {
    closeSync(fd);
  }
}
