import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StateDir } from "./state-directory.js";
import { HoldstillError } from "../base/errors/error.js";
import type { VolumeOwner } from "../base/schema/types.js";
import { flockExclusive } from "../os/libc.js";
import { WriteGate } from "./write-gate.js";

/** How often a queued transaction looks again, ms. */
const pollEvery = 100;

export interface TakenVolumes {
  release(): void;
}

/** The volumes that this host's transactions take, one lock file each. */
export class VolumeLocks {
  readonly #state: StateDir;
  readonly #gate: WriteGate;

  constructor(state: StateDir, gate: WriteGate) {
    this.#state = state;
    this.#gate = gate;
  }

  /** See `lockVolumes`. */
  async take(
    volumes: readonly string[],
    transaction: string,
    { limitMs, onQueued, signal }: { limitMs: number; onQueued: OnQueued; signal: AbortSignal },
  ): Promise<TakenVolumes> {
    return lockVolumes(this.#state, volumes, transaction, limitMs, onQueued, signal, this.#gate);
  }
}

type OnQueued = (volume: string, owner: VolumeOwner) => void;

/**
 * Takes the volumes for one transaction: flock(2) on a file each, so that the kernel releases them even if this process is killed.
 * Takes them in order of name: two transactions never wait for each other.
 *
 * @param onQueued Called once per volume that another transaction owns.
 * @throws HoldstillError E_VOLUME_BUSY after `limitMs`, naming the owner; whatever `signal` was aborted with.
 */
export async function lockVolumes(
  state: StateDir,
  volumes: readonly string[],
  transaction: string,
  limitMs: number,
  onQueued: OnQueued,
  signal: AbortSignal,
  gate = new WriteGate(),
): Promise<TakenVolumes> {
  const owner: VolumeOwner = { pid: process.pid, transaction, since: new Date().toISOString() };
  const taken: number[] = [];
  const release = (): void => {
    for (const fd of taken.splice(0)) closeSync(fd);
  };
  const started = performance.now();
  try {
    for (const volume of [...new Set(volumes)].toSorted()) {
      const fd = await gate.write(() => openSync(path.join(state.volumes, lockName(volume)), "a+", 0o600));
      taken.push(fd);
      for (let isReported = false; !flockExclusive(fd); isReported = true) {
        const other = ownerIn(fd);
        if (!isReported) onQueued(volume, other);
        const waitedMs = performance.now() - started;
        if (waitedMs >= limitMs) throw new HoldstillError("E_VOLUME_BUSY", { volume, owner: other, waitedMs });
        await sleep(Math.min(pollEvery, limitMs - waitedMs), undefined, { signal }).catch(() =>
          signal.throwIfAborted(),
        );
      }
      await gate.write(() => {
        ftruncateSync(fd, 0);
        writeSync(fd, JSON.stringify(owner));
      });
    }
    return { release };
  } catch (error) {
    release();
    throw error;
  }
}

/** A name may have 255 bytes, and the path of a btrfs subvolume, which is part of its volume's id, far more. */
function lockName(volume: string): string {
  const name = encodeURIComponent(volume);
  if (name.length <= 200) return `${name}.lock`;
  return `${name.slice(0, 100)}-${createHash("sha256").update(volume).digest("hex")}.lock`;
}

/** The owner writes its name only after it has the lock: for a moment the file may be empty, or name the one before. */
function ownerIn(fd: number): VolumeOwner {
  try {
    return JSON.parse(readFileSync(`/proc/self/fd/${fd}`, "utf8")) as VolumeOwner;
  } catch {
    return { pid: 0, transaction: "(just starting)", since: new Date().toISOString() };
  }
}
