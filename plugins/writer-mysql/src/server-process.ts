import { readdir, readFile, readlink } from "node:fs/promises";

/** A server's process, as this machine shows it. */
export interface ServerProcess {
  readonly pid: number;
  /** Absolute path of its program. */
  readonly binary: string;
}

/** The process that wrote the file, if it works in that folder: process numbers are used again. */
export async function serverPid(pidFile: string, dataDir: string): Promise<ServerProcess | undefined> {
  try {
    const pid = Number.parseInt(await readFile(pidFile, "utf8"), 10);
    return (await readlink(`/proc/${pid}/cwd`)) === dataDir ? await describe(pid) : undefined;
  } catch {
    return undefined;
  }
}

/** A server that runs on the folder: both servers make their data directory the folder that they work in (sql/mysqld.cc, my_setwd). */
export async function serverWorkingIn(dataDir: string): Promise<ServerProcess | undefined> {
  const numbers = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const number of numbers) {
    try {
      if ((await readlink(`/proc/${number}/cwd`)) !== dataDir) continue;
      const found = await describe(Number(number));
      if (/\/(mariadbd|mysqld)[^/]*$/.test(found.binary)) return found;
    } catch {
      // It ended meanwhile, or belongs to another user.
    }
  }
  return undefined;
}

async function describe(pid: number): Promise<ServerProcess> {
  const binary = await readlink(`/proc/${pid}/exe`);
  // The kernel adds this if the program was replaced while it runs.
  return { pid, binary: binary.replace(/ \(deleted\)$/, "") };
}
