import { constants } from "node:fs";
import { access, copyFile, type FileHandle, lstat, open } from "node:fs/promises";
import path from "node:path";
import { codeOf } from "#kit/plugin-error.js";
import { PluginError } from "./errors.js";
import type { Cluster } from "./cluster.js";
import type { Session } from "./session.js";

/** Where WAL files are read from. */
export interface WalSource {
  /** Copies a file of pg_wal to `to`. False: it is not there any more, or was recycled meanwhile. */
  copy(name: string, to: string, signal: AbortSignal): Promise<boolean>;
}

/** Bytes that one statement reads: the result is twice as long on the wire, and held in memory. */
const chunkBytes = 2 * 1024 * 1024;

/** A WAL file has one size, and this is the largest that a cluster can be made with (manual, initdb, --wal-segsize). */
const largestFile = 1024n * 1024n * 1024n;

/** The server's own folder where it may be read, else the server. */
export async function walSource(
  { walDir, uid }: Pick<Cluster, "walDir" | "uid">,
  session: Session,
): Promise<WalSource> {
  if (uid === undefined) return walOverSql(session);
  try {
    await access(walDir, constants.R_OK | constants.X_OK);
    return walFiles(walDir, uid);
  } catch {
    return walOverSql(session);
  }
}

/**
 * Reads the files of the folder. They are the server's user's, who may put anything in their place: what is not a regular file of that
 * user is refused, since this process may read more; and so is a larger one than WAL files are, of which a copy would fill the disk.
 */
export function walFiles(walDir: string, uid: number): WalSource {
  return {
    async copy(name, to, signal) {
      const file = path.join(walDir, name);
      signal.throwIfAborted();
      const source = await openIfThere(file, uid);
      if (source === undefined) return false;
      try {
        const found = await source.stat({ bigint: true });
        if (!found.isFile() || found.uid !== BigInt(uid) || found.size > largestFile) throw foreign(file, uid);
        // The descriptor is what was examined, whatever has the name by now.
        await copyFile(`/proc/self/fd/${source.fd}`, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
        // The server recycles a WAL file by giving it a new name: then the copy may be of two different files.
        return (await inode(file)) === found.ino;
      } finally {
        await source.close();
      }
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

/** A FIFO is not waited for, and a link is not followed. */
async function openIfThere(file: string, uid: number): Promise<FileHandle | undefined> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    if (codeOf(error) === "ELOOP") throw foreign(file, uid, error);
    throw error;
  }
}

async function inode(file: string): Promise<bigint | undefined> {
  try {
    return (await lstat(file, { bigint: true })).ino;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function foreign(file: string, uid: number, cause?: unknown): PluginError {
  const message = `${file} is not a WAL file of user ${uid}, whose server it is`;
  return new PluginError("PG_WAL_FOREIGN", message, "See who put it there: ls -l.", { cause });
}
