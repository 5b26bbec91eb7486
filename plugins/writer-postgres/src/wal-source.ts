import { constants } from "node:fs";
import { access, copyFile, open, stat } from "node:fs/promises";
import path from "node:path";
import type { Session } from "./session.js";

/** Where WAL files are read from. */
export interface WalSource {
  /** Copies a file of pg_wal to `to`. False: it is not there any more, or was recycled meanwhile. */
  copy(name: string, to: string, signal: AbortSignal): Promise<boolean>;
}

/** Bytes that one statement reads: the result is twice as long on the wire, and held in memory. */
const chunkBytes = 2 * 1024 * 1024;

/** The server's own folder where it may be read, else the server. */
export async function walSource(walDir: string, session: Session): Promise<WalSource> {
  try {
    await access(walDir, constants.R_OK | constants.X_OK);
    return walFiles(walDir);
  } catch {
    return walOverSql(session);
  }
}

/** Reads the files of the folder. */
export function walFiles(walDir: string): WalSource {
  return {
    async copy(name, to, signal) {
      const file = path.join(walDir, name);
      signal.throwIfAborted();
      const before = await inode(file);
      if (before === undefined) return false;
      try {
        await copyFile(file, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      } catch (error) {
        if ((await inode(file)) === undefined) return false;
        throw error;
      }
      // The server recycles a WAL file by giving it a new name: then the copy may be of two different files.
      return (await inode(file)) === before;
    },
  };
}

/** Asks the server for the files' content: for a role that may execute pg_read_binary_file. */
export function walOverSql(session: Session): WalSource {
  /** null: there is no such file. */
  const read = async (name: string, offset: number, signal: AbortSignal): Promise<Buffer | null> => {
    const row = await session.one<{ bytes: Buffer | null }>(
      signal,
      "SELECT pg_read_binary_file('pg_wal/' || $1, $2, $3, true) AS bytes",
      [name, offset, chunkBytes],
    );
    return row.bytes;
  };
  return {
    async copy(name, to, signal) {
      const head = await read(name, 0, signal);
      if (head === null) return false;
      const file = await open(to, "wx", 0o600);
      try {
        for (let chunk = head, offset = 0; chunk.length > 0;) {
          await file.writeFile(chunk);
          offset += chunk.length;
          const next = await read(name, offset, signal);
          if (next === null) return false;
          chunk = next;
        }
      } finally {
        await file.close();
      }
      return (await read(name, 0, signal)) !== null;
    },
  };
}

async function inode(file: string): Promise<bigint | undefined> {
  try {
    return (await stat(file, { bigint: true })).ino;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
