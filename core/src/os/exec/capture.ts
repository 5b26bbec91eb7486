import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** How much is kept of the end of an output: bytes. */
const KEPT = 64 * 1024;

/**
 * A file without a name for a program's output. Unlike a pipe, it neither ends a process that writes after the reader has
 * stopped, nor keeps the reader waiting for a process that never closes it.
 */
export class Capture {
  readonly fd: number;

  constructor() {
    const dir = mkdtempSync(path.join(tmpdir(), "holdstill-exec-"));
    try {
      this.fd = openSync(path.join(dir, "output"), "ax+", 0o600);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }

  /** The end of what was written so far. */
  text(): string {
    const { size } = fstatSync(this.fd);
    const buffer = Buffer.alloc(Math.min(size, KEPT));
    const length = readSync(this.fd, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString("utf8", 0, length);
  }

  close(): void {
    closeSync(this.fd);
  }
}
