import { HoldstillError } from "../../base/errors/error.js";
import type { QueuedEvent, VolumeOwner } from "../../base/schema/types.js";

/** Which transaction comes first, and how many are in the way. */
export type QueuePosition = Pick<QueuedEvent, "volume" | "owner"> & { position: number };

export interface VolumeClaim {
  volumes: readonly string[];
  owner: VolumeOwner;
  limitMs: number;
  signal: AbortSignal;
  /** Called when the transaction has to wait, and again when it has come forward. */
  onPosition: (position: QueuePosition) => void;
}

type EntryState =
  /** Its volumes are not known yet. Others that want the same targets wait, so that it is not overtaken. */
  | { type: "planning" }
  | {
      type: "waiting";
      volumes: readonly string[];
      owner: VolumeOwner;
      go: () => void;
      report: (position: QueuePosition) => void;
    }
  | { type: "served"; volumes: readonly string[]; owner: VolumeOwner };

interface Entry {
  readonly targets: readonly string[];
  state: EntryState;
}

/** A transaction's place in the queue, from the moment of its request. */
export interface Turn {
  /**
   * Waits for the volumes. A transaction that already has some gives them back, and keeps its place.
   *
   * @returns Whether others came first.
   * @throws HoldstillError E_VOLUME_BUSY after `limitMs`, naming the owner; the reason with which `signal` was aborted.
   */
  take(claim: VolumeClaim): Promise<"at-once" | "after-others">;
  /** Gives the volumes and the place back; idempotent. */
  leave(): void;
}

/**
 * The transactions of this process, in the order of their requests: on each volume they are served in this order; transactions on
 * other volumes do not wait. Between processes the locks of the store decide, which a served transaction still has to take. A
 * transaction asks for all its volumes at once, so that transactions cannot wait for each other in a circle.
 */
export class VolumeQueue {
  #entries: Entry[] = [];

  enter(targets: readonly string[]): Turn {
    const entry: Entry = { targets, state: { type: "planning" } };
    this.#entries.push(entry);
    return {
      take: (claim) => this.#take(entry, claim),
      leave: () => {
        if (!this.#entries.includes(entry)) return;
        this.#entries = this.#entries.filter((other) => other !== entry);
        this.#settle();
      },
    };
  }

  async #take(entry: Entry, { volumes, owner, limitMs, signal, onPosition }: VolumeClaim): ReturnType<Turn["take"]> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      let order: "at-once" | "after-others" = "at-once";
      let last: QueuePosition | null = null;
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        end();
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        end();
        reject(busy(last, limitMs));
      }, limitMs);
      signal.addEventListener("abort", onAbort, { once: true });
      const go = (): void => {
        end();
        resolve(order);
      };
      const report = (position: QueuePosition): void => {
        const isNews = last?.position !== position.position || last.owner.transaction !== position.owner.transaction;
        last = position;
        if (isNews) onPosition(position);
      };
      entry.state = { type: "waiting", volumes, owner, go, report };
      this.#settle();
      order = "after-others";
    });
  }

  /** Serves every entry whose volumes are free, and not wanted by an earlier entry. */
  #settle(): void {
    const owners = new Map<string, VolumeOwner>();
    for (const { state } of this.#entries)
      if (state.type === "served") for (const volume of state.volumes) owners.set(volume, state.owner);
    const planned = new Set<string>();
    const ahead: Entry[] = [];
    for (const entry of this.#entries) {
      const { state, targets } = entry;
      if (state.type === "planning") {
        for (const target of targets) planned.add(target);
        ahead.push(entry);
      }
      if (state.type !== "waiting") continue;
      const { volumes, owner, go, report } = state;
      const taken = volumes.find((volume) => owners.has(volume));
      const before = taken === undefined ? undefined : owners.get(taken);
      if (taken !== undefined && before !== undefined) {
        const position = 1 + ahead.filter((other) => isRival(other, targets, volumes)).length;
        report({ volume: taken, owner: before, position });
      } else if (!targets.some((target) => planned.has(target))) {
        entry.state = { type: "served", volumes, owner };
        go();
      }
      if (entry.state.type === "waiting") ahead.push(entry);
      for (const volume of volumes) if (!owners.has(volume)) owners.set(volume, owner);
    }
  }
}

/** Whether two entries cannot be served at the same time, as far as is known. */
function isRival({ targets, state }: Entry, others: readonly string[], volumes: readonly string[]): boolean {
  if (state.type === "planning") return targets.some((target) => others.includes(target));
  return state.volumes.some((volume) => volumes.includes(volume));
}

function busy(position: QueuePosition | null, waitedMs: number): HoldstillError {
  const { volume = "", owner = { pid: process.pid, transaction: "", since: "" } } = position ?? {};
  return new HoldstillError("E_VOLUME_BUSY", { volume, owner, waitedMs });
}
