import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, lstatSync, mkdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { once } from "node:events";
import { connect, type Server } from "node:net";
import path from "node:path";
import { HoldstillError } from "../../base/errors/error.js";
import { peerCredentials } from "../../os/libc.js";
import { trustedUser, quoted, ownershipProblemsAbove } from "../../base/trust/ownership.js";
import { socketDescriptor } from "./peer.js";

/** sockaddr_un, unix(7), less its end and what the draft's name is longer. */
const longest = 107 - 9;

/**
 * Has the server listen at a path, for its owner and one group. The socket is made under a name of its own and gets its owner and
 * mode there; only then it takes its place, in which nobody else's thing is ever replaced.
 *
 * @returns What removes it again.
 * @throws HoldstillError E_SOCKET, E_SERVICE_RUNNING
 */
export async function listenAt(server: Server, asked: string, gid: number | null): Promise<() => void> {
  const file = await placeOf(asked);
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
      "Choose another place: service.socket.",
    );
  }
}

/** A folder that nobody else may write to: who could, could put a socket of his own there, and be told everything. */
async function placeOf(asked: string): Promise<string> {
  const elsewhere = "Choose another place: service.socket in the config.";
  const folder = path.dirname(asked);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refusal(asked, error instanceof Error ? error.message : String(error), elsewhere);
  }
  const file = path.join(realpathSync(folder), path.basename(asked));
  if (Buffer.byteLength(file) > longest) throw refusal(file, `its path has more than ${longest} bytes`, elsewhere);
  const [weakness] = await ownershipProblemsAbove(file, await trustedUser());
  if (weakness !== undefined) throw refusal(file, weakness.problem, weakness.remedy);
  return file;
}

async function refuseTaken(file: string): Promise<void> {
  const there = lstatSync(file, { throwIfNoEntry: false });
  if (there === undefined) return;
  const mend = `See what it is, and remove it: rm ${quoted(file)}`;
  if (!there.isSocket()) {
    const what = there.isSymbolicLink() ? "a symbolic link" : there.isDirectory() ? "a folder" : "a file";
    throw refusal(file, `${what} is in its place`, mend);
  }
  if (there.uid !== process.geteuid?.()) throw refusal(file, `a socket of user ${there.uid} is in its place`, mend);
  const pid = await listenerOf(file);
  if (pid !== null) throw new HoldstillError("E_SERVICE_RUNNING", { socket: file, pid });
}

/** Who listens there; null: nobody any more. */
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

function refusal(file: string, problem: string, mend: string): HoldstillError {
  return new HoldstillError("E_SOCKET", { path: file, problem, remedy: mend });
}
