import { toFault } from "../base/errors/error.js";
import type { CommitOp, SnapshotSet } from "../base/schema/types.js";
import type { OwnPart, SetVerdict } from "../cluster/rendezvous.js";
import { monotonic } from "../os/clock.js";
import type { TransactionServices } from "./services.js";
import type { Effect, MeetingStep, TransactionEvent } from "./state.js";

type MeetingServices = Pick<TransactionServices, "rendezvous" | "journal" | "holder" | "limits">;

/** What the meetings need of the transaction. */
interface MeetingContext {
  readonly limitMs: (step: MeetingStep) => number;
  /** The record of the set as it is now. */
  readonly record: () => SnapshotSet;
  readonly dispatch: (event: TransactionEvent) => void;
}

/** The keeper holds until the host requests the release: the other hosts may not hold yet when this one's commit is done. */
export const untilReleased = (ops: readonly CommitOp[]): CommitOp[] => [...ops, { op: "plugin" }];

/** Runs the machine's effects for sets of several hosts. Alone, it is never asked. */
export class ClusterMeeting {
  readonly #services: MeetingServices;
  readonly #context: MeetingContext;
  #releaseAt: number | null = null;
  #voted: SnapshotSet | null = null;
  #decided: SnapshotSet | null = null;

  constructor(services: MeetingServices, context: MeetingContext) {
    this.#services = services;
    this.#context = context;
  }

  /** The record of a set with the verdict commit; null: there is no verdict. */
  get decided(): SnapshotSet | null {
    return this.#decided;
  }

  /** The release is about to be requested. */
  releasing(): void {
    this.#releaseAt ??= monotonic();
  }

  async perform(effect: Extract<Effect, { type: "meet" | "vote" | "withdraw" }>): Promise<void> {
    const { rendezvous } = this.#services;
    if (rendezvous === null) throw new Error(`${effect.type} without other hosts`);
    switch (effect.type) {
      case "meet":
        try {
          await rendezvous.reach(effect.step, this.#context.limitMs(effect.step));
          this.#context.dispatch({ type: "met", step: effect.step });
        } catch (error) {
          this.#context.dispatch({ type: "apart", fault: toFault(error) });
        }
        return;
      case "vote":
        await this.#vote(rendezvous);
        return;
      case "withdraw":
        this.#take(await rendezvous.withdraw(effect.cause));
    }
  }

  /** What is not on disk was not voted for. */
  async #vote(rendezvous: NonNullable<TransactionServices["rendezvous"]>): Promise<void> {
    const { journal, limits } = this.#services;
    const set = this.#context.record();
    try {
      await journal.write({ entry: "voted", set });
    } catch (error) {
      this.#context.dispatch({ type: "apart", fault: toFault(error) });
      return;
    }
    this.#voted = set;
    this.#take(await rendezvous.vote({ consistency: set.consistency, hold: this.#hold() }, limits.verdict));
  }

  #take(verdict: SetVerdict): void {
    switch (verdict.type) {
      case "commit":
        this.#decided = { ...(this.#voted ?? this.#context.record()), cluster: verdict.cluster };
        this.#context.dispatch({ type: "decided", verdict: "commit" });
        return;
      case "abort":
        this.#context.dispatch({ type: "decided", verdict: "abort", fault: toFault(verdict.error) });
        return;
      case "unknown":
        this.#context.dispatch({ type: "undecided", fault: toFault(verdict.error) });
    }
  }

  /** By CLOCK_MONOTONIC. The kernel has confirmed each hold up to the release. */
  #hold(): OwnPart["hold"] {
    const recorded = this.#services.holder.record(0);
    if (recorded === null || recorded.targets.length === 0 || this.#releaseAt === null) return null;
    return { heldAt: Math.max(...recorded.targets.map(({ from }) => from)), releaseAt: this.#releaseAt };
  }
}
