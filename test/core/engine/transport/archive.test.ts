import assert from "node:assert/strict";
import { Readable, Writable } from "node:stream";
import test from "node:test";
import { ArchiveReader, ArchiveWriter, PART_BYTES } from "#core/engine/transport/archive.js";

/** Keeps what is written. */
class Kept extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(Buffer.from(chunk));
    done();
  }

  get all(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

async function archiveOf(files: Record<string, string>): Promise<{ bytes: Buffer; sha256: string }> {
  const kept = new Kept();
  const archive = new ArchiveWriter(kept);
  for (const [name, content] of Object.entries(files)) {
    const text = Buffer.from(content);
    await archive.add(name, text.length, [text]);
  }
  return { sha256: await archive.end(), bytes: kept.all };
}

/** In pieces of a size that no block has. */
async function read(bytes: Buffer): Promise<{ files: Record<string, string>; sha256: string }> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / 700) }, (_, at) =>
    bytes.subarray(at * 700, (at + 1) * 700),
  );
  const archive = new ArchiveReader(Readable.from(pieces, { objectMode: false }));
  const files: Record<string, string> = {};
  try {
    for (let entry = await archive.next(); entry !== null; entry = await archive.next()) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of entry.content) chunks.push(chunk);
      files[entry.name] = Buffer.concat(chunks).toString();
    }
    return { files, sha256: await archive.end() };
  } finally {
    await archive.stop();
  }
}

const files = { "holdstill.json": "{}\n", "a/long name": "x".repeat(1500), empty: "" };

test("what was written is read, with the same digest", async () => {
  const { bytes, sha256 } = await archiveOf(files);
  assert.deepEqual(await read(bytes), { files, sha256 });
});

test("an archive that is cut off is refused, at each third byte, and so is one with more behind it", async () => {
  const { bytes } = await archiveOf(files);
  for (let end = 0; end < bytes.length; end += 3) await assert.rejects(read(bytes.subarray(0, end)), `${end}`);
  await assert.rejects(read(Buffer.concat([bytes, Buffer.alloc(1)])));
  await assert.rejects(read(Buffer.concat([bytes, bytes])));
});

test("an archive of which one byte has changed is refused, for each third byte", async () => {
  const { bytes } = await archiveOf(files);
  for (let at = 0; at < bytes.length; at += 3) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    await assert.rejects(read(changed), `${at}`);
  }
});

test("contents of unknown size become parts, in order", async () => {
  const kept = new Kept();
  const archive = new ArchiveWriter(kept);
  const content = (async function* () {
    for (let number = 0; number < 5; number += 1)
      yield await Promise.resolve(Buffer.alloc(PART_BYTES / 2, `${number}`));
  })();
  await archive.addParts("contents/0", content);
  await archive.end();
  const { files: found } = await read(kept.all);
  assert.deepEqual(Object.keys(found), ["contents/0/00000000", "contents/0/00000001", "contents/0/00000002"]);
  assert.equal(Object.values(found).join("").length, 2.5 * PART_BYTES);
});

test("an output that fails is the error, and one that waits is waited for", async () => {
  const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error("the disk is full")) });
  const archive = new ArchiveWriter(failing);
  const fill = async (): Promise<void> => {
    for (let number = 0; number < 100; number += 1) await archive.add(`${number}`, 100_000, [Buffer.alloc(100_000)]);
    await archive.end();
  };
  await assert.rejects(fill, /the disk is full/);

  let taken = 0;
  const waiting = new Writable({
    write(chunk: Buffer) {
      taken += chunk.length;
    },
  });
  const slow = new ArchiveWriter(waiting);
  let added = 0;
  const push = (async () => {
    for (; added < 100; added += 1) await slow.add(`${added}`, 100_000, [Buffer.alloc(100_000)]);
  })();
  push.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(added < 10 && taken < 1_000_000, `${added} files of 100 kB were taken into memory`);
  waiting.destroy();
  await slow.fail(new Error("it ends"));
});
