import { HoldstillError } from "../errors/error.js";
import type { QueuedEvent, VolumeOwner } from "../schema/types.js";

/** Whom one waits for, and how long still. */
export type Place = Pick<QueuedEvent, "volume" | "owner"> & { position: number };

export interface Wish {
  /** From `turn()`: who came first is served first. */
  turn: number;
  volumes: readonly string[];
  owner: VolumeOwner;
  limitMs: number;
  signal: AbortSignal;
  /** Called when one has to wait, and again when one has come forward. */
  onPlace: (place: Place) => void;
}

interface Entry extends Pick<Wish, "turn" | "volumes" | "owner"> {
  /** null: it has its volumes. */
  waits: { go: () => void; tell: (place: Place) => void } | null;
}

/**
 * The transactions of this process that want a volume, in the order in which they were asked for. Between processes the locks of
 * `lockVolumes` decide; who has his turn here has still to take them. All volumes of a transaction are asked for at once and in
 * one order: nobody waits in a circle.
 */
export class VolumeQueue {
  #turns = 0;
  #entries: Entry[] = [];

  turn(): number {
    this.#turns += 1;
    return this.#turns;
  }

  /**
   * @returns What gives the volumes back.
   * @throws HoldstillError E_VOLUME_BUSY after `limitMs`, naming the owner; whatever `signal` was aborted with.
   */
  async take({ turn, volumes, owner, limitMs, signal, onPlace }: Wish): Promise<() => void> {
    signal.throwIfAborted();
    const entry: Entry = { turn, volumes, owner, waits: null };
    const leave = (): void => {
      this.#entries = this.#entries.filter((other) => other !== entry);
      this.#settle();
    };
    try {
      await new Promise<void>((resolve, reject) => {
        let last: Place | null = null;
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
          resolve();
        };
        const tell = (place: Place): void => {
          const isNews = last?.position !== place.position || last.owner.transaction !== place.owner.transaction;
          last = place;
          if (isNews) onPlace(place);
        };
        entry.waits = { go, tell };
        this.#entries = [...this.#entries, entry].toSorted((a, b) => a.turn - b.turn);
        this.#settle();
      });
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Lets everybody go on whose volumes nobody has, and nobody before him waits for. */
  #settle(): void {
    const claimed = new Map<string, Entry>();
    for (const entry of this.#entries) {
      if (entry.waits === null) for (const volume of entry.volumes) claimed.set(volume, entry);
    }
    const waiting = this.#entries.filter(({ waits }) => waits !== null);
    for (const [index, entry] of waiting.entries()) {
      const { waits, volumes } = entry;
      const volume = volumes.find((one) => claimed.has(one));
      const before = volume === undefined ? undefined : claimed.get(volume);
      for (const one of volumes) if (!claimed.has(one)) claimed.set(one, entry);
      if (volume === undefined || before === undefined) {
        entry.waits = null;
        waits?.go();
        continue;
      }
      const ahead = waiting.slice(0, index).filter((other) => other.volumes.some((one) => volumes.includes(one)));
      const stillAhead = ahead.filter((other) => other.waits !== null);
      waits?.tell({ volume, owner: before.owner, position: stillAhead.length + 1 });
    }
  }
}

function busy(place: Place | null, waitedMs: number): HoldstillError {
  const { volume = "", owner = { pid: process.pid, transaction: "", since: "" } } = place ?? {};
  return new HoldstillError("E_VOLUME_BUSY", { volume, owner, waitedMs });
}
