import { HoldstillError } from "../../base/errors/error.js";
import type { QueuedEvent, VolumeOwner } from "../../base/schema/types.js";

/** Whom one waits for, and how long still. */
export type QueuePosition = Pick<QueuedEvent, "volume" | "owner"> & { position: number };

export interface VolumeClaim {
  volumes: readonly string[];
  owner: VolumeOwner;
  limitMs: number;
  signal: AbortSignal;
  /** Called when one has to wait, and again when one has come forward. */
  onPlace: (place: QueuePosition) => void;
}

type Standing =
  /** Its volumes are not known yet: who wants the same targets waits, so that nobody is overtaken. */
  | { at: "planning" }
  | {
      at: "waiting";
      volumes: readonly string[];
      owner: VolumeOwner;
      go: () => void;
      tell: (place: QueuePosition) => void;
    }
  | { at: "served"; volumes: readonly string[]; owner: VolumeOwner };

interface Entry {
  readonly targets: readonly string[];
  standing: Standing;
}

/** One's place in the queue, from the moment in which one was asked. */
export interface Turn {
  /**
   * Waits for the volumes. Who has some already gives them back, and keeps his place.
   *
   * @returns Whether others came first.
   * @throws HoldstillError E_VOLUME_BUSY after `limitMs`, naming the owner; whatever `signal` was aborted with.
   */
  take(wish: VolumeClaim): Promise<"at-once" | "after-others">;
  /** Does the work, and then leaves, whatever comes of it. */
  whilst<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * The transactions of this process, in the order in which they were asked for: on each volume they are served in this order, those of
 * other volumes do not wait. Between processes the locks of `lockVolumes` decide; who has his turn here has still to take them.
 * All volumes of a transaction are asked for at once: nobody waits in a circle.
 */
export class VolumeQueue {
  #entries: Entry[] = [];

  enter(targets: readonly string[]): Turn {
    const entry: Entry = { targets, standing: { at: "planning" } };
    this.#entries.push(entry);
    return {
      take: (wish) => this.#take(entry, wish),
      whilst: async (work) => {
        try {
          return await work();
        } finally {
          this.#entries = this.#entries.filter((other) => other !== entry);
          this.#settle();
        }
      },
    };
  }

  async #take(entry: Entry, { volumes, owner, limitMs, signal, onPlace }: VolumeClaim): ReturnType<Turn["take"]> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      let how: "at-once" | "after-others" = "at-once";
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
        resolve(how);
      };
      const tell = (place: QueuePosition): void => {
        const isNews = last?.position !== place.position || last.owner.transaction !== place.owner.transaction;
        last = place;
        if (isNews) onPlace(place);
      };
      entry.standing = { at: "waiting", volumes, owner, go, tell };
      this.#settle();
      how = "after-others";
    });
  }

  /** Lets everybody go on whose volumes nobody has, and nobody who came before him wants. */
  #settle(): void {
    const owners = new Map<string, VolumeOwner>();
    for (const { standing } of this.#entries)
      if (standing.at === "served") for (const volume of standing.volumes) owners.set(volume, standing.owner);
    const planned = new Set<string>();
    const ahead: Entry[] = [];
    for (const entry of this.#entries) {
      const { standing, targets } = entry;
      if (standing.at === "planning") {
        for (const target of targets) planned.add(target);
        ahead.push(entry);
      }
      if (standing.at !== "waiting") continue;
      const { volumes, owner, go, tell } = standing;
      const taken = volumes.find((volume) => owners.has(volume));
      const before = taken === undefined ? undefined : owners.get(taken);
      if (taken !== undefined && before !== undefined) {
        const position = 1 + ahead.filter((other) => isRival(other, targets, volumes)).length;
        tell({ volume: taken, owner: before, position });
      } else if (!targets.some((target) => planned.has(target))) {
        entry.standing = { at: "served", volumes, owner };
        go();
      }
      if (entry.standing.at === "waiting") ahead.push(entry);
      for (const volume of volumes) if (!owners.has(volume)) owners.set(volume, owner);
    }
  }
}

/** Whether two cannot go at the same time, as far as that is known. */
function isRival({ targets, standing }: Entry, others: readonly string[], volumes: readonly string[]): boolean {
  if (standing.at === "planning") return targets.some((target) => others.includes(target));
  return standing.volumes.some((volume) => volumes.includes(volume));
}

function busy(place: QueuePosition | null, waitedMs: number): HoldstillError {
  const { volume = "", owner = { pid: process.pid, transaction: "", since: "" } } = place ?? {};
  return new HoldstillError("E_VOLUME_BUSY", { volume, owner, waitedMs });
}
