import { createHash } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";

/**
 * What an export ends with, behind the archive: a block of 512 bytes with the digest of all before. So an export that is cut off, or of which
 * a byte has changed, is never taken for a whole one; and tar(1) ignores the block.
 */
const BLOCK = 512;
const TITLE = "holdstill-export end";

const blockOf = (sha256: string, bytes: number): Buffer => {
  const block = Buffer.alloc(BLOCK);
  block.write(`${TITLE}\nsha256 ${sha256}\nbytes ${bytes}\n`);
  return block;
};

/** Passes everything on, and writes the block at the end. */
export class EndBlockWriter extends Transform {
  readonly #hash = createHash("sha256");
  #bytes = 0;
  /** Known at the end. */
  sha256 = "";

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.sha256 = this.#hash.digest("hex");
    done(null, blockOf(this.sha256, this.#bytes));
  }
}

/** Passes everything on but the block, and fails at the end unless that is right. */
export class EndBlockReader extends Transform {
  readonly #hash = createHash("sha256");
  #bytes = 0;
  /** The last bytes so far, which may be the block. */
  #kept = Buffer.alloc(0);
  /** Known at the end. */
  sha256 = "";

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const all = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    const passed = all.subarray(0, Math.max(0, all.length - BLOCK));
    this.#kept = Buffer.from(all.subarray(passed.length));
    this.#hash.update(passed);
    this.#bytes += passed.length;
    done(null, passed);
  }

  override _flush(done: TransformCallback): void {
    this.sha256 = this.#hash.digest("hex");
    const isWhole = this.#kept.equals(blockOf(this.sha256, this.#bytes));
    const seen =
      this.#kept.subarray(0, TITLE.length).toString() === TITLE ? "its digest is another one" : "its end is missing";
    done(isWhole ? null : new Error(seen));
  }
}
