import { readMounts } from "../../os/mounts.js";
import { monotonic } from "../../os/clock.js";
import type { RcuExpedited } from "./rcu-expedited.js";
import { type ReadyCommit, isForHost, readyCommit } from "../commit-ops.js";
import { type Backend, type ReadyOp, TargetFault } from "./backend.js";
import type { HoldRegister } from "../hold-register.js";
import { isMissing, type TargetProgress, reportTarget } from "./target-state.js";
import type { BackendName, ReleaseReason, SectionReport } from "../section.js";
import { type KeeperMessage, type ArmRequest, type SectionFailure, SILENCE_MS } from "../wire.js";

/** What one rank's release may take before the next rank is released without waiting for it, ms; and what comes in late is waited for before the report. */
const PATIENCE_MS = 150;

type Tell = (answer: KeeperMessage) => void;

/** Where it is told, and where it is noted for whoever comes after. */
interface Books {
  readonly tell: Tell;
  readonly ledger: HoldRegister;
  readonly haste: RcuExpedited;
}

/**
 * One critical section from the first hold to the last release. It ends by the first of: the core's word, a hold that fails,
 * silence, the deadline. What was asked of the kernel by then and comes later is released as soon as it comes.
 */
export class CriticalSectionRun {
  readonly #places: readonly TargetProgress[];
  /** The same by rank, in the order in which they are held. */
  readonly #ranks: readonly (readonly TargetProgress[])[];
  readonly #commit: ReadyCommit;
  /** The host has nothing to do while it is held, so that its word is not waited for. */
  readonly #isOurs: boolean;
  #limitMs: number;
  readonly #means: BackendName;
  readonly #haste: RcuExpedited;
  readonly #ledger: HoldRegister;
  readonly #tell: Tell;
  /** What the kernel has been asked, and has not answered: holds, operations of the commit, releases. */
  readonly #calls = new Set<Promise<unknown>>();
  /** The operations among them. */
  readonly #unanswered = new Set<string>();
  #askedAt: number | null = null;
  #deadline: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #reason: ReleaseReason | null = null;
  #over: Promise<void> | null = null;
  #reported = false;

  private constructor(
    limitMs: number,
    places: readonly TargetProgress[],
    commit: ReadyCommit,
    isOurs: boolean,
    by: BackendName,
    books: Books,
  ) {
    this.#places = places;
    const ranks = [...new Set(places.map(({ target: station }) => station.rank))].toSorted((a, b) => a - b);
    this.#ranks = ranks.map((rank) => places.filter(({ target: station }) => station.rank === rank));
    this.#commit = commit;
    this.#isOurs = isOurs;
    this.#limitMs = limitMs;
    this.#means = by;
    this.#ledger = books.ledger;
    this.#haste = books.haste;
    this.#tell = books.tell;
    if (places.some(({ state: standing }) => standing.at === "held")) this.#askedAt = monotonic();
  }

  /**
   * Opens everything, so that nothing has to be looked up later.
   *
   * @throws StationFault
   */
  static async prepare(
    { targets: stations, ops, limitMs }: ArmRequest,
    hands: Backend,
    books: Books,
  ): Promise<CriticalSectionRun> {
    const places: TargetProgress[] = [];
    for (const [index, station] of stations.entries()) {
      const grip = await hands.open(station).catch((error: unknown) => {
        throw error instanceof TargetFault ? new TargetFault(error.message, index) : error;
      });
      places.push({ index, target: station, handle: grip, state: { at: "idle" } });
    }
    return new CriticalSectionRun(limitMs, places, readyCommit(ops, hands), !isForHost(ops), hands.name, books);
  }

  /** What a keeper that died may hold, so far as it can still be opened: there to be released. */
  static async inherit(hands: Backend, books: Books): Promise<CriticalSectionRun> {
    const places: TargetProgress[] = [];
    for (const [index, station] of books.ledger.heading.stations.entries()) {
      if (!books.ledger.mayHold(index)) continue;
      const grip = await hands.open(station).catch(() => null);
      if (grip !== null)
        places.push({ index, target: station, handle: grip, state: { at: "held", heldAt: monotonic() } });
    }
    return new CriticalSectionRun(0, places, readyCommit([], hands), true, hands.name, books);
  }

  /** Something is held, or about to be, or not reported yet. */
  get isOn(): boolean {
    return this.#askedAt !== null && !this.#reported;
  }

  /** Resolves when nothing is asked of the kernel any more. */
  async settled(): Promise<void> {
    await this.#over;
    await this.#answered();
  }

  /** The limit counts from here; what is dirty is written out before the first hold, so that little is left to do under it. */
  async hold(limitMs = this.#limitMs): Promise<void> {
    if (this.#askedAt !== null || this.#reason !== null) return;
    this.#limitMs = Math.min(limitMs, this.#limitMs);
    this.#askedAt = monotonic();
    this.#deadline = setTimeout(() => this.end("deadline"), this.#limitMs);
    this.#silence = setTimeout(() => this.end("silence"), SILENCE_MS);
    await Promise.all(this.#places.map((place) => this.#flush(place)));
    if (this.#reason !== null) return;
    const changed = this.#firstChange();
    if (changed !== null) return this.end("failed", changed);
    if (this.#haste.isOurs) this.#ledger.hurries(true);
    this.#haste.begin();
    this.#askedAt = monotonic();
    for (const rank of this.#ranks) {
      this.#ledger.asks(rank.map(({ index }) => index));
      await Promise.all(rank.map((place) => this.#track(this.#take(place))));
      if (this.#reason !== null) return;
    }
    await this.#commit({
      goesOn: () => this.#reason === null,
      ask: (step) => this.#ask(step),
      fails: (failure) => this.end("failed", { is: "op", ...failure }),
    });
    if (this.#reason !== null) return;
    if (this.#isOurs) this.end("done");
    this.#tell({ say: "held" });
  }

  /** The core lives. */
  beat(): void {
    if (this.#reason === null) this.#silence?.refresh();
  }

  /** Releases everything, and reports. May come again; the first reason stays. */
  end(reason: ReleaseReason, failure: SectionFailure | null = null): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    clearTimeout(this.#deadline);
    clearTimeout(this.#silence);
    this.#over = this.#release(reason, failure);
  }

  async #release(reason: ReleaseReason, failure: SectionFailure | null): Promise<void> {
    const unanswered = [...this.#unanswered];
    for (const rank of this.#ranks.toReversed()) {
      const releases = rank.map((place) => this.#letGo(place)).filter((release) => release !== null);
      if (releases.length > 0) await atMost(PATIENCE_MS, Promise.all(releases));
    }
    await atMost(this.#patience(reason), this.#answered());
    this.#haste.end();
    this.#ledger.hurries(false);
    this.#reported = true;
    const missing = this.#places.filter(isMissing).map(({ index }) => index);
    this.#tell({ say: "over", report: this.#report(reason), failure, missing, unanswered });
  }

  /** Where one point fails there is time up to the deadline for the others to come in; else there is none. */
  #patience(reason: ReleaseReason): number {
    const left = this.#limitMs - (monotonic() - (this.#askedAt ?? 0));
    return PATIENCE_MS + (reason === "failed" || reason === "word" ? Math.max(0, left) : 0);
  }

  async #ask(step: ReadyOp): Promise<string | null> {
    this.#unanswered.add(step.name);
    const reason = await this.#track(step.run());
    this.#unanswered.delete(step.name);
    return reason;
  }

  async #flush(place: TargetProgress): Promise<void> {
    place.state = { at: "flushing" };
    await place.handle.flush();
    place.state = { at: "idle" };
  }

  async #take(place: TargetProgress): Promise<void> {
    place.state = { at: "asked" };
    const taken = await place.handle.hold();
    if (taken.is !== "held") {
      this.#ledger.isFree(place.index);
      place.state = { at: "refused", problem: taken.is === "busy" ? "somebody else holds it" : taken.reason };
      return this.end("failed", { ...taken, station: place.index });
    }
    place.state = { at: "held", heldAt: monotonic() };
    if (this.#reported) this.#tell({ say: "late", station: place.index });
    if (this.#reason !== null) await this.#letGo(place);
  }

  #letGo(place: TargetProgress): Promise<void> | null {
    if (place.state.at !== "held") return null;
    const { heldAt } = place.state;
    place.state = { at: "releasing", heldAt };
    const release = async (): Promise<void> => {
      const freed = await place.handle.release();
      if (freed.is !== "stuck") this.#ledger.isFree(place.index);
      place.state =
        freed.is === "released"
          ? { at: "released", heldAt, releasedAt: monotonic() }
          : freed.is === "lapsed"
            ? { at: "lost", heldAt, releasedAt: monotonic(), problem: "it was not held any more: somebody released it" }
            : { at: "lost", heldAt, releasedAt: null, problem: `the kernel does not release it: ${freed.reason}` };
    };
    return this.#track(release());
  }

  #track<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    return call.finally(() => this.#calls.delete(call));
  }

  async #answered(): Promise<void> {
    while (this.#calls.size > 0) await Promise.all(this.#calls);
  }

  #firstChange(): SectionFailure | null {
    const mounts = readMounts();
    for (const { handle: grip, index } of this.#places) {
      const reason = grip.check(mounts);
      if (reason !== null) return { is: "refused", station: index, reason };
    }
    return null;
  }

  #report(reason: ReleaseReason): SectionReport {
    const points = this.#places.map(reportTarget);
    const releases = points.map(({ releasedAt }) => releasedAt ?? 0);
    const heldMs = this.#askedAt === null ? 0 : Math.max(0, Math.max(0, ...releases) - this.#askedAt);
    return { by: this.#means, targets: points, heldMs, reason };
  }
}

/** Waits for the work, but not for longer than this. */
async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
