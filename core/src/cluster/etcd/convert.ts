import type { Condition, Entry, Write } from "../engine.js";
import type { KeyValue } from "./messages.js";

export const toEntry = ({ key, value, modRevision }: KeyValue): Entry => ({
  key: Buffer.from(key).toString(),
  value: Buffer.from(value).toString(),
  revision: Number(modRevision),
});

/** The first key behind all that begin with the prefix. It ends with a slash, so that its last byte can grow. */
export function rangeEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

/** etcd compares integers: EQUAL is 0, the target MOD is 2, and a key that does not exist has the revision 0. */
export const toCompare = ({ key, revision }: Condition) => ({
  result: 0,
  target: 2,
  key: Buffer.from(key),
  targetUnion: { case: "modRevision" as const, value: BigInt(revision) },
});

export const toRead = (key: string) => ({
  request: { case: "requestRange" as const, value: { key: Buffer.from(key) } },
});

export const toWrite = (write: Write) =>
  write.type === "put"
    ? {
        request: {
          case: "requestPut" as const,
          value: { key: Buffer.from(write.key), value: Buffer.from(write.value) },
        },
      }
    : { request: { case: "requestDeleteRange" as const, value: { key: Buffer.from(write.key) } } };
