import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, pack } from "tar-stream";
import { EndBlockReader, EndBlockWriter } from "./end-block.js";

/** The largest part of contents, bytes: an archive's entry begins with its size, and contents are of unknown size. */
export const PART_BYTES = 1024 * 1024;

/** An export that is written: a tar archive with an end block. No more than some parts are in memory. */
export class ArchiveWriter {
  readonly #pack = pack();
  readonly #end = new EndBlockWriter();
  readonly #written: Promise<void>;
  /** Ends what waits for the output. A race of promises would keep every part in memory until the output ends. */
  #onFailure: (error: unknown) => void = () => undefined;

  constructor(output: Writable) {
    this.#written = pipeline(this.#pack as unknown as Readable, this.#end, output);
    this.#written.catch((error: unknown) => this.#onFailure(error));
  }

  /** Returns when the output has taken it. @throws the output's error */
  async add(name: string, size: number, content: AsyncIterable<Uint8Array> | readonly Uint8Array[]): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onFailure = reject;
        const header = { name, size, mode: 0o600, mtime: new Date(0) };
        const entry = this.#pack.entry(header, (error) => (error ? reject(error) : resolve()));
        const fill = async (): Promise<void> => {
          for await (const chunk of content) if (!entry.write(chunk)) await once(entry as unknown as Writable, "drain");
          entry.end(null);
        };
        fill().catch(reject);
      });
    } catch (error) {
      throw await this.#causeOf(error);
    } finally {
      this.#onFailure = () => undefined;
    }
  }

  /** Adds contents of unknown size as parts. */
  async addParts(folder: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    let number = 0;
    for await (const part of partsOf(content)) {
      await this.add(`${folder}/${String(number).padStart(8, "0")}`, part.length, [part]);
      number += 1;
    }
  }

  /** @returns The digest of the whole archive. */
  async end(): Promise<string> {
    try {
      this.#pack.finalize();
      await this.#written;
    } catch (error) {
      throw await this.#causeOf(error);
    }
    return this.#end.sha256;
  }

  /** Nothing more is written: the output ends without the block. */
  async fail(error: unknown): Promise<void> {
    await this.#causeOf(error);
  }

  /** If the output has failed, that is the cause of all else. */
  async #causeOf(error: unknown): Promise<unknown> {
    this.#pack.destroy(error instanceof Error ? error : new Error(String(error)));
    return this.#written.then(
      () => error,
      (cause: unknown) => cause,
    );
  }
}

async function* partsOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    pending.push(chunk);
    size += chunk.length;
    if (size < PART_BYTES) continue;
    yield Buffer.concat(pending);
    pending = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pending);
}

/** One file of an export. It has to be read to its end before the next one. */
export interface ArchiveEntry {
  readonly name: string;
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array>;
}

type TarEntry = { header: { name: string; size: number; type: string } } & AsyncIterable<Uint8Array>;

/** An export that is read. What is read of it is not known to be whole until `end` has returned. */
export class ArchiveReader {
  readonly #extract = extract();
  readonly #end = new EndBlockReader();
  readonly #read: Promise<void>;
  /** Ends what waits for the next file. */
  #onFailure: (error: Error) => void = () => undefined;
  #failure: Error | null = null;
  readonly #entries: AsyncIterator<TarEntry>;

  constructor(input: Readable) {
    this.#read = pipeline(input, this.#end, this.#extract as unknown as Writable);
    this.#read.catch((error: unknown) => this.#fail(error));
    this.#entries = this.#extract[Symbol.asyncIterator]() as never;
  }

  /** null: there is no more. @throws an ordinary error if it is damaged */
  async next(): Promise<ArchiveEntry | null> {
    // Of a stream that has failed, the iterator may never return.
    const next = await new Promise<IteratorResult<TarEntry>>((resolve, reject) => {
      this.#onFailure = reject;
      if (this.#failure !== null) reject(this.#failure);
      this.#entries.next().then(resolve, reject);
    });
    if (next.done === true) return null;
    const { header } = next.value;
    if (header.type !== "file") throw new Error(`${header.name} is a ${header.type}`);
    return { name: header.name, size: header.size, content: next.value };
  }

  #fail(error: unknown): void {
    this.#failure = error instanceof Error ? error : new Error(String(error));
    this.#onFailure(this.#failure);
  }

  /** @returns The digest of the whole archive. @throws an ordinary error if it is damaged, or not whole */
  async end(): Promise<string> {
    await this.#read;
    return this.#end.sha256;
  }

  async stop(): Promise<void> {
    this.#extract.destroy();
    await this.#read.catch(() => undefined);
  }
}
