import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { isHoldstillError } from "../../base/errors/error.js";
import type { FolderHandle } from "../path/folder.js";
import type { PathHandle } from "../path/handle.js";
import { detachedMount } from "../path/mounts-by-handle.js";
import { programAt, systemPath } from "../path/programs.js";

/** What is packed is a folder, or a file in one. */
export type TreeSource = { readonly folder: FolderHandle } | { readonly file: string; readonly in: FolderHandle };

const FOLDER_FD = 3;

/** GNU tar: owners by number, holes, hard links, extended attributes, ACLs, and times to the nanosecond. */
const faithful = (): string[] => [
  "--numeric-owner",
  "--xattrs",
  "--xattrs-include=*",
  "--acls",
  ...(existsSync("/sys/fs/selinux/enforce") ? ["--selinux"] : []),
];

/**
 * The tree as a tar archive. No link in it is followed. The program ends with this process, however this process ends.
 *
 * @throws an ordinary error with what tar reports, at the end of the stream; the signal's reason
 */
export async function* packTree(source: TreeSource, signal: AbortSignal): AsyncGenerator<Buffer> {
  const folder = "folder" in source ? source.folder : source.in;
  using view = barred(folder, "read-only");
  const what = "folder" in source ? "." : `./${source.file}`;
  const args = ["--create", "--format=posix", "--sparse", ...faithful(), "--file=-"];
  const tar = startTar([...args, `--directory=/proc/self/fd/${FOLDER_FD}`, "--", what], view, signal);
  try {
    for await (const chunk of tar.stdout) yield chunk as Buffer;
    await tar.ended;
  } finally {
    tar.stop();
  }
}

/** Unpacks one archive. */
export interface Unpacking {
  /** Waits until the program takes more. @throws what `end` throws */
  write(chunk: Uint8Array): Promise<void>;
  /** The archive is at its end. @throws an ordinary error with what tar reports; the signal's reason */
  end(): Promise<void>;
  /** Ends the program, if it runs. */
  stop(): Promise<void>;
}

/**
 * Unpacks a tar archive into a folder that only this process's user may enter, and nowhere else: the program sees nothing but this folder
 * as a mount on which no link leads anywhere.
 */
export function unpackTree(into: FolderHandle, signal: AbortSignal): Unpacking {
  const view = barred(into, "writable");
  const owners = process.geteuid?.() === 0 ? ["--same-owner"] : ["--no-same-owner"];
  const args = ["--extract", "--same-permissions", ...owners, ...faithful(), "--file=-"];
  const tar = startTar([...args, `--directory=/proc/self/fd/${FOLDER_FD}`], view, signal);
  view[Symbol.dispose]();
  // Of a program that has ended; `ended` has the reason.
  tar.stdin.on("error", () => undefined);
  return {
    async write(chunk) {
      try {
        await written(tar.stdin, chunk);
      } catch (error) {
        // If the program has ended, it has the reason.
        await tar.ended;
        throw error;
      }
    },
    async end() {
      tar.stdin.end();
      await tar.ended;
    },
    async stop() {
      tar.stop();
      await tar.ended.catch(() => undefined);
    },
  };
}

const written = (to: Writable, chunk: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => to.write(chunk, (error) => (error ? reject(error) : resolve())));

interface Tar {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly ended: Promise<void>;
  stop(): void;
}

function startTar(args: readonly string[], folder: PathHandle, signal: AbortSignal): Tar {
  signal.throwIfAborted();
  const child = spawn(programAt("setpriv"), ["--pdeathsig", "KILL", "--", programAt("tar"), ...args], {
    stdio: ["pipe", "pipe", "pipe", folder.fd],
    env: { PATH: systemPath, LC_ALL: "C" },
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("tar has no pipes");
  const stop = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  const watch = async (): Promise<void> => {
    try {
      const [, complaints] = await Promise.all([once(child, "exit"), text(stderr)]);
      signal.throwIfAborted();
      if (child.exitCode === 0) return;
      const how = child.exitCode === null ? `by ${child.signalCode}` : `with exit code ${child.exitCode}`;
      const [line = ""] = complaints.split("\n").filter((one) => one !== "");
      throw new Error(line === "" ? `tar ended ${how}` : line.replaceAll(/^\S*tar: /g, ""));
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };
  const ended = watch();
  // It may fail before anything waits for it.
  ended.catch(() => undefined);
  return { stdin, stdout, ended, stop };
}

/** A view of it in which links lead nowhere. Without the right to mount, it is used as it is. */
function barred(handle: PathHandle, access: "read-only" | "writable"): PathHandle {
  try {
    return detachedMount(handle, { access, links: "barred" });
  } catch (error) {
    if (!isHoldstillError(error) || error.code !== "E_PATH_FAILED") throw error;
    return handle.duplicate();
  }
}
