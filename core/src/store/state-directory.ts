import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { makeFolders } from "./make-folders.js";
import { HoldstillError, isHoldstillError } from "../base/errors/error.js";

/** The state directory: everything that holdstill remembers. Mode 0700, the user's own. */
export interface StateDir {
  readonly root: string;
  /** One folder per snapshot set: set.json and the writers' sidecars. */
  readonly sets: string;
  /** One journal per transaction. */
  readonly transactions: string;
  /** One lock file per volume. */
  readonly volumes: string;
  /** One folder per plugin instance: its dataDir. */
  readonly plugins: string;
  /** One lock file per requester whose sets live no longer than it does. */
  readonly leases: string;
}

export const stateDir = (root: string): StateDir => ({
  root,
  sets: path.join(root, "sets"),
  transactions: path.join(root, "transactions"),
  volumes: path.join(root, "volumes"),
  plugins: path.join(root, "plugins"),
  leases: path.join(root, "leases"),
});

/** @throws HoldstillError E_STATE_DIR when it cannot be made, or another user could change it. */
export function makeStateDir(state: StateDir): void {
  asStateError(state, () => {
    makeFolders(state.root, 0o700);
    check(state.root);
    for (const dir of [state.sets, state.transactions, state.volumes, state.plugins, state.leases])
      mkdirSync(dir, { recursive: true, mode: 0o700 });
  });
}

/** @throws HoldstillError E_STATE_DIR for what the file system refuses, as when its disk is full. */
export function asStateError<T>({ root }: Pick<StateDir, "root">, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw stateError({ root }, error);
  }
}

/** What the file system refused, as E_STATE_DIR; a coded error stays as it is. */
export function stateError({ root }: Pick<StateDir, "root">, error: unknown): HoldstillError {
  if (isHoldstillError(error)) return error;
  return new HoldstillError("E_STATE_DIR", { path: root, problem: reason(error) }, { cause: error });
}

/** Writes a file so that after a crash it is there whole, or not at all. No link is followed that another user has put there. */
export function writeDurably(file: string, text: string, mode = 0o600): void {
  const draft = `${file}.draft`;
  rmSync(draft, { force: true });
  const fd = openSync(draft, "wx", mode);
  try {
    // Not writeSync: on a full disk it writes a part, without an error.
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(draft, file);
  syncDir(path.dirname(file));
}

export function syncDir(dir: string): void {
  const fd = openSync(dir, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function check(root: string): void {
  // A symbolic link has its own owner; the mode that counts is that of the folder behind it.
  const { uid, mode } = statSync(root);
  const refuse = (problem: string): never => {
    throw new HoldstillError("E_STATE_DIR", { path: root, problem });
  };
  const stranger = [lstatSync(root).uid, uid].find((owner) => owner !== process.getuid?.());
  if (stranger !== undefined) refuse(`it belongs to user ${stranger}`);
  if ((mode & 0o022) !== 0) {
    if ((mode & 0o1000) !== 0) refuse("every user may write to it");
    chmodSync(root, 0o700);
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
