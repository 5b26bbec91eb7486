import { toFault } from "../../base/errors/error.js";
import type { Keeper, KeeperOptions, SectionPlan, SectionReport } from "./client.js";
import { lapseError } from "./outcome.js";
import type { Fault, RecordedHold } from "../../base/schema/types.js";

/** Holds volumes with a keeper: each step comes at most once, and disarm comes last. */
export class KeeperHold {
  readonly #options: KeeperOptions;
  #keeper: Promise<Keeper> | null = null;
  #report: SectionReport | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** @throws HoldstillError E_HOLD_REFUSED, E_HOLD_FAILED, E_KEEPER */
  async arm(plan: SectionPlan): Promise<void> {
    this.#keeper = this.#start(plan);
    await this.#keeper;
  }

  /** @throws HoldstillError E_HOLD_BUSY, E_HOLD_FAILED, E_HOLD_LATE, E_HOLD_LAPSED, E_KEEPER */
  async hold(limitMs: number): Promise<void> {
    await (await this.#armed()).hold(limitMs);
  }

  /** @returns Why the snapshots do not share one instant; null: everything was held until now. */
  async release(): Promise<Fault | null> {
    try {
      this.#report = await (await this.#armed()).release();
      const lapse = lapseError(this.#report);
      return lapse === null ? null : toFault(lapse);
    } catch (error) {
      return toFault(error);
    }
  }

  /** Ends the keeper, whatever its state. */
  async disarm(): Promise<void> {
    const keeper = await this.#keeper?.catch(() => null);
    await keeper?.disarm();
  }

  /** What the set's record contains about the hold. @param startedAt Start of the transaction, CLOCK_MONOTONIC, ms. */
  record(startedAt: number): RecordedHold | null {
    if (this.#report === null) return null;
    const { heldMs, targets } = this.#report;
    const held = targets.flatMap(({ target, heldAt, releasedAt }) =>
      heldAt === null || releasedAt === null
        ? []
        : [{ target, from: round(heldAt - startedAt), to: round(releasedAt - startedAt) }],
    );
    return { heldMs: round(heldMs), targets: held };
  }

  /** A transaction that holds nothing does not load the client. From here on nothing is loaded late. */
  async #start(plan: SectionPlan): Promise<Keeper> {
    const client = await import("./client.js");
    return client.Keeper.arm(plan, this.#options);
  }

  #armed(): Promise<Keeper> {
    if (this.#keeper === null) throw new Error("the keeper was never armed");
    return this.#keeper;
  }
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000;
