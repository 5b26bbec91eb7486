import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { HoldstillError } from "../base/errors/error.js";
import { flockExclusive } from "../os/libc.js";
import type { StateDir } from "./state-directory.js";

/**
 * A state directory has one service: the work of a second one would look abandoned to the first.
 *
 * @returns Unlocks it. @throws HoldstillError E_SERVICE_RUNNING
 */
export function lockForService({ root }: StateDir, socket: string): () => void {
  const file = path.join(root, "service.lock");
  const fd = openSync(file, "a+", 0o600);
  if (!flockExclusive(fd)) {
    const [pid = "0", where = socket] = readFileSync(file, "utf8").trim().split(" ");
    closeSync(fd);
    throw new HoldstillError("E_SERVICE_RUNNING", { socket: where, pid: Number(pid) });
  }
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid} ${socket}\n`);
  return () => closeSync(fd);
}
