import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { atExit } from "../process/at-exit.js";
import type { User } from "../process/unprivileged.js";

export interface Scratch {
  readonly path: string;
  /** Removes the folder and all in it; may come twice. */
  readonly remove: () => void;
}

/**
 * A folder for things of a server, gone with this process at the latest. It belongs to `owner` alone; without one, everybody
 * may read it. Its name is short because the path of a Unix socket may have no more than 107 bytes (unix(7)).
 */
export function scratch(name: string, owner?: User): Scratch {
  const dir = mkdtempSync(path.join(tmpdir(), `hs-${name}-`));
  if (owner === undefined) chmodSync(dir, 0o755);
  else chownSync(dir, owner.uid, owner.gid);
  const rm = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  const callOff = atExit(rm);
  return {
    path: dir,
    remove: () => {
      callOff();
      rm();
    },
  };
}
