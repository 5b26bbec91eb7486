import { readMounts } from "../../os/mounts.js";
import { monotonic } from "../../os/clock.js";
import type { RcuExpedited } from "./rcu-expedited.js";
import { isForHost } from "../../base/schema/commit-ops.js";
import { type ReadyCommit, readyCommit } from "./commit.js";
import { type Backend, type ReadyOp, TargetFault } from "./backend.js";
import type { HoldRegister } from "../hold-register.js";
import { isMissing, releasedState, reportTarget, type TargetProgress } from "./target-state.js";
import type { ReleaseReason, SectionReport } from "../section.js";
import { type KeeperMessage, type ArmRequest, type SectionFailure, SILENCE_MS } from "../wire.js";

/**
 * How long the release of one rank may take before the next rank is released without waiting for it, ms. As long, the report waits for
 * calls that the kernel has not answered.
 */
const PATIENCE_MS = 150;

/** What a section uses besides its targets. */
interface SectionContext {
  readonly send: (message: KeeperMessage) => void;
  /** What may be held, for the process that takes over if this one dies. */
  readonly register: HoldRegister;
  readonly rcu: RcuExpedited;
}

/** Everything of a section that is made ready before the first hold. */
interface ReadySection {
  readonly targets: readonly TargetProgress[];
  readonly commit: ReadyCommit;
  /** The host has nothing to do during the section, so the release needs no request. */
  readonly releasesItself: boolean;
  readonly limitMs: number;
}

/**
 * One critical section from the first hold to the last release. It ends with the first of: the core's request, a failed hold or
 * operation, silence, the deadline. A hold that the kernel had not answered by then is released as soon as it succeeds.
 */
export class CriticalSectionRun {
  readonly #targets: readonly TargetProgress[];
  /** The same by rank, in the order in which they are held. */
  readonly #ranks: readonly (readonly TargetProgress[])[];
  readonly #commit: ReadyCommit;
  readonly #releasesItself: boolean;
  #limitMs: number;
  readonly #rcu: RcuExpedited;
  readonly #register: HoldRegister;
  readonly #send: SectionContext["send"];
  /** Calls that the kernel has not answered: holds, operations of the commit, releases. */
  readonly #calls = new Set<Promise<unknown>>();
  /** Names of the operations among them. */
  readonly #unanswered = new Set<string>();
  #askedAt: number | null = null;
  #deadline: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #reason: ReleaseReason | null = null;
  #over: Promise<void> | null = null;
  #isReported = false;

  private constructor(ready: ReadySection, { send, register, rcu }: SectionContext) {
    const { targets } = ready;
    this.#targets = targets;
    const ranks = [...new Set(targets.map(({ target }) => target.rank))].toSorted((a, b) => a - b);
    this.#ranks = ranks.map((rank) => targets.filter(({ target }) => target.rank === rank));
    this.#commit = ready.commit;
    this.#releasesItself = ready.releasesItself;
    this.#limitMs = ready.limitMs;
    this.#register = register;
    this.#rcu = rcu;
    this.#send = send;
    if (targets.some(({ state }) => state.type === "held")) this.#askedAt = monotonic();
  }

  /**
   * Opens everything, so that nothing has to be looked up later.
   *
   * @throws TargetFault
   */
  static async prepare(request: ArmRequest, backend: Backend, context: SectionContext): Promise<CriticalSectionRun> {
    const { ops, limitMs } = request;
    const targets: TargetProgress[] = [];
    for (const [index, target] of request.targets.entries()) {
      const handle = await backend.open(target).catch((error: unknown) => {
        throw error instanceof TargetFault ? new TargetFault(error.message, index) : error;
      });
      targets.push({ index, target, handle, state: { type: "idle" } });
    }
    const ready = { targets, commit: readyCommit(ops, backend), releasesItself: !isForHost(ops), limitMs };
    return new CriticalSectionRun(ready, context);
  }

  /** What a dead keeper may hold, as far as it can still be opened, ready to be released. */
  static async inherit(backend: Backend, context: SectionContext): Promise<CriticalSectionRun> {
    const targets: TargetProgress[] = [];
    for (const [index, target] of context.register.heading.targets.entries()) {
      if (!context.register.mayHold(index)) continue;
      const handle = await backend.open(target).catch(() => null);
      if (handle !== null) targets.push({ index, target, handle, state: { type: "held", heldAt: monotonic() } });
    }
    const ready = { targets, commit: readyCommit([], backend), releasesItself: true, limitMs: 0 };
    return new CriticalSectionRun(ready, context);
  }

  /** Something is held, is about to be, or is not reported yet. */
  get isOn(): boolean {
    return this.#askedAt !== null && !this.#isReported;
  }

  /** Resolves when the kernel has answered every call. */
  async settled(): Promise<void> {
    await this.#over;
    await this.#answered();
  }

  /** The limit counts from here. Dirty data is written out before the first hold, so that little is left to do under it. */
  async hold(limitMs = this.#limitMs): Promise<void> {
    if (this.#askedAt !== null || this.#reason !== null) return;
    this.#limitMs = Math.min(limitMs, this.#limitMs);
    this.#askedAt = monotonic();
    this.#deadline = setTimeout(() => this.end("deadline"), this.#limitMs);
    this.#silence = setTimeout(() => this.end("silence"), SILENCE_MS);
    await Promise.all(this.#targets.map((target) => this.#flush(target)));
    if (this.#reason !== null) return;
    const changed = this.#firstChange();
    if (changed !== null) return this.end("failed", changed);
    if (this.#rcu.isOurs) this.#register.markExpedited(true);
    this.#rcu.begin();
    this.#askedAt = monotonic();
    for (const rank of this.#ranks) {
      this.#register.markAsked(rank.map(({ index }) => index));
      await Promise.all(rank.map((target) => this.#track(this.#hold(target))));
      if (this.#reason !== null) return;
    }
    await this.#commit({
      isOn: () => this.#reason === null,
      run: (op) => this.#run(op),
      fail: (failure) => this.end("failed", { type: "op", ...failure }),
    });
    if (this.#reason !== null) return;
    if (this.#releasesItself) this.end("done");
    this.#send({ type: "held" });
  }

  /** The core is alive. */
  beat(): void {
    if (this.#reason === null) this.#silence?.refresh();
  }

  /** Releases everything, and reports. It may be called again; the first reason stays. */
  end(reason: ReleaseReason, failure: SectionFailure | null = null): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    clearTimeout(this.#deadline);
    clearTimeout(this.#silence);
    this.#over = this.#releaseAll(reason, failure);
  }

  async #releaseAll(reason: ReleaseReason, failure: SectionFailure | null): Promise<void> {
    const unanswered = [...this.#unanswered];
    for (const rank of this.#ranks.toReversed()) {
      const releases = rank.map((target) => this.#release(target)).filter((release) => release !== null);
      if (releases.length > 0) await atMost(PATIENCE_MS, Promise.all(releases));
    }
    await atMost(this.#patience(reason), this.#answered());
    this.#rcu.end();
    this.#register.markExpedited(false);
    this.#isReported = true;
    const missing = this.#targets.filter(isMissing).map(({ index }) => index);
    this.#send({ type: "over", report: this.#report(reason), failure, missing, unanswered });
  }

  /** If a hold fails, or the core ends the section early, the kernel has until the deadline to answer for the others. */
  #patience(reason: ReleaseReason): number {
    const left = this.#limitMs - (monotonic() - (this.#askedAt ?? 0));
    return PATIENCE_MS + (reason === "failed" || reason === "requested" ? Math.max(0, left) : 0);
  }

  async #run(op: ReadyOp): Promise<string | null> {
    this.#unanswered.add(op.name);
    const reason = await this.#track(op.run());
    this.#unanswered.delete(op.name);
    return reason;
  }

  async #flush(target: TargetProgress): Promise<void> {
    target.state = { type: "flushing" };
    await target.handle.flush();
    target.state = { type: "idle" };
  }

  async #hold(target: TargetProgress): Promise<void> {
    target.state = { type: "asked" };
    const attempt = await target.handle.hold();
    if (attempt.type !== "held") {
      this.#register.markFree(target.index);
      const problem = attempt.type === "busy" ? "another process holds it" : attempt.reason;
      target.state = { type: "refused", problem };
      return this.end("failed", { ...attempt, index: target.index });
    }
    target.state = { type: "held", heldAt: monotonic() };
    if (this.#reason !== null) await this.#release(target);
  }

  #release(target: TargetProgress): Promise<void> | null {
    if (target.state.type !== "held") return null;
    const { heldAt } = target.state;
    target.state = { type: "releasing", heldAt };
    const release = async (): Promise<void> => {
      const attempt = await target.handle.release();
      if (attempt.type !== "stuck") this.#register.markFree(target.index);
      target.state = releasedState(attempt, heldAt, monotonic());
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
    for (const { handle, index } of this.#targets) {
      const reason = handle.check(mounts);
      if (reason !== null) return { type: "refused", index, reason };
    }
    return null;
  }

  #report(reason: ReleaseReason): SectionReport {
    const targets = this.#targets.map(reportTarget);
    const releases = targets.map(({ releasedAt }) => releasedAt ?? 0);
    const heldMs = this.#askedAt === null ? 0 : Math.max(0, Math.max(0, ...releases) - this.#askedAt);
    return { targets, heldMs, reason };
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
