import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants;

/**
 * The text of a file that a person or a plugin named. A FIFO, a device or a socket is refused at once, and a file that is larger than it may
 * be is not read to its end. Node alone reads it: the library for the kernel's other calls is slow to load, and most commands need a config.
 *
 * @param maxBytes More is refused.
 * @throws Error of open(2), or with the reason
 */
export function readRegularText(file: string, maxBytes: number): string {
  const fd = openSync(file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    if (!fstatSync(fd).isFile()) throw new Error("it is not a regular file");
    const parts: Buffer[] = [];
    for (let length = 0; ;) {
      const part = Buffer.alloc(Math.min(64 * 1024, maxBytes + 1 - length));
      const count = readSync(fd, part);
      if (count === 0) return Buffer.concat(parts).toString();
      length += count;
      if (length > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      parts.push(part.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
}
