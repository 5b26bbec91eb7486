import { setTimeout as sleep } from "node:timers/promises";
import type { Change, KeyWatch } from "../engine.js";
import type { EtcdMember } from "./member.js";
import type { Members } from "./members.js";
import { rangeEnd, toEntry } from "./convert.js";

const RETRY_MS = 20;

/**
 * Watches a prefix by way of one member; after a fault by way of the next, from the next revision. When the caller doubts it, all other
 * members are watched as well, from the beginning, and the first that reports a change counts. To watch all of them always would cost
 * more than it saves.
 */
export class EtcdWatch implements KeyWatch {
  readonly ready: Promise<void>;
  readonly #members: Members;
  readonly #prefix: string;
  readonly #onChange: (change: Change) => void;
  readonly #ending = new AbortController();
  /** The last revision of each key that was reported. */
  readonly #reported = new Map<string, number>();
  /** The first revision. null: not known yet. */
  #from: number | null;
  #isDoubted = false;
  #setReady: () => void = () => undefined;

  constructor(members: Members, prefix: string, from: number | null, onChange: (change: Change) => void) {
    this.#members = members;
    this.#prefix = prefix;
    this.#from = from;
    this.#onChange = onChange;
    this.ready = new Promise((resolve) => {
      this.#setReady = resolve;
    });
    void this.#follow(() => members.current);
  }

  doubt(): void {
    if (this.#isDoubted || this.#from === null) return;
    this.#isDoubted = true;
    const { all, current } = this.#members;
    for (const member of all) if (member !== current) void this.#follow(() => member);
  }

  close(): void {
    this.#ending.abort();
  }

  async #follow(choose: () => EtcdMember): Promise<void> {
    const { signal } = this.#ending;
    let next = this.#from;
    while (!signal.aborted) {
      const member = choose();
      try {
        for await (const response of this.#stream(member, next, signal)) {
          const { created, canceled, compactRevision, header, events } = response;
          if (compactRevision > 0n) next = Number(compactRevision) + 1;
          if (canceled) break;
          const revision = Number(header?.revision ?? 0n);
          if (created) {
            this.#from ??= revision + 1;
            this.#setReady();
          }
          for (const { type, kv } of events) if (kv !== undefined) this.#report(toEntry(kv), type === 0);
          // At its creation, what came before this revision is still to be sent.
          if (!created || next === null) next = Math.max(next ?? 0, revision + 1);
        }
      } catch {
        // The connection ended, or the member did. The next one goes on where this one stopped.
      }
      this.#members.leave(member);
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** The request stream stays open for as long as the watch. */
  #stream(member: EtcdMember, next: number | null, signal: AbortSignal) {
    const key = Buffer.from(this.#prefix);
    const value = { key, rangeEnd: rangeEnd(this.#prefix), startRevision: BigInt(next ?? 0), progressNotify: true };
    async function* requests() {
      yield { requestUnion: { case: "createRequest" as const, value } };
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    return member.watch.watch(requests(), { signal });
  }

  #report({ key, value, revision }: Change, exists: boolean): void {
    if (this.#ending.signal.aborted || (this.#reported.get(key) ?? 0) >= revision) return;
    this.#reported.set(key, revision);
    this.#onChange({ key, value: exists ? value : null, revision });
  }
}
