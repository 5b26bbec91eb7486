import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, lstatSync, realpathSync, renameSync, rmSync } from "node:fs";
import { once } from "node:events";
import { connect, type Server } from "node:net";
import path from "node:path";
import { HoldstillError } from "../../base/errors/error.js";
import { peerCredentials } from "../../os/libc.js";
import { trustedUser, quoted, ownershipProblemsAbove } from "../../base/trust/ownership.js";
import { makeFolders } from "../../store/make-folders.js";
import { socketDescriptor } from "./peer.js";

/** sockaddr_un, unix(7), less the terminating byte and the suffix of the draft. */
const longest = 107 - 9;

/**
 * Makes the server listen at a path, for its owner and one group. The socket gets its owner and mode under a temporary name, and is
 * then renamed. It never replaces a file of another owner.
 *
 * @returns Removes the socket.
 * @throws HoldstillError E_SOCKET, E_SERVICE_RUNNING
 */
export async function listenAt(server: Server, asked: string, gid: number | null): Promise<() => void> {
  const file = await checkedPath(asked);
  await refuseTaken(file);
  const draft = `${file}.${randomBytes(4).toString("hex")}`;
  const before = process.umask(0o177);
  try {
    server.listen({ path: draft });
  } finally {
    process.umask(before);
  }
  await once(server, "listening");
  try {
    if (gid !== null) chownSync(draft, process.geteuid?.() ?? 0, gid);
    chmodSync(draft, gid === null ? 0o600 : 0o660);
    const { ino } = lstatSync(draft);
    renameSync(draft, file);
    return () => {
      if (lstatSync(file, { throwIfNoEntry: false })?.ino === ino) rmSync(file, { force: true });
    };
  } catch (error) {
    rmSync(draft, { force: true });
    server.close();
    throw refusal(
      file,
      error instanceof Error ? error.message : String(error),
      "Choose another path: service.socket in the config.",
    );
  }
}

/** Another user must not be able to write to the folder: that user could put a socket there, and receive every request. */
async function checkedPath(asked: string): Promise<string> {
  const elsewhere = "Choose another path: service.socket in the config.";
  const folder = path.dirname(asked);
  try {
    makeFolders(folder, 0o700);
  } catch (error) {
    throw refusal(asked, error instanceof Error ? error.message : String(error), elsewhere);
  }
  const file = path.join(realpathSync(folder), path.basename(asked));
  if (Buffer.byteLength(file) > longest) throw refusal(file, `its path has more than ${longest} bytes`, elsewhere);
  const [problem] = await ownershipProblemsAbove(file, await trustedUser());
  if (problem !== undefined) throw refusal(file, problem.problem, problem.remedy);
  return file;
}

async function refuseTaken(file: string): Promise<void> {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return;
  const remedy = `Check what it is, and remove it: rm ${quoted(file)}`;
  if (!found.isSocket()) {
    const what = found.isSymbolicLink() ? "a symbolic link" : found.isDirectory() ? "a folder" : "a file";
    throw refusal(file, `${what} is at this path`, remedy);
  }
  if (found.uid !== process.geteuid?.()) throw refusal(file, `a socket of user ${found.uid} is at this path`, remedy);
  const pid = await listenerOf(file);
  if (pid !== null) throw new HoldstillError("E_SERVICE_RUNNING", { socket: file, pid });
}

/** The pid of the process that listens there; null: none. */
export function listenerOf(file: string): Promise<number | null> {
  return new Promise((resolve) => {
    const socket = connect(file);
    socket.once("error", () => resolve(null));
    socket.once("connect", () => {
      const { pid } = peerCredentials(socketDescriptor(socket));
      socket.destroy();
      resolve(pid);
    });
  });
}

function refusal(file: string, problem: string, remedy: string): HoldstillError {
  return new HoldstillError("E_SOCKET", { path: file, problem, remedy });
}
