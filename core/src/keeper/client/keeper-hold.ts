import { toFault } from "../../base/errors/error.js";
import {
  Keeper,
  type KeeperOptions,
  lapseError,
  type SectionPlan,
  type SectionReport,
} from "./client.js";
import type { Fault, RecordedHold } from "../../base/schema/types.js";

/** The keeper's part of one transaction: each step comes once at most, and disarm last. */
export class KeeperHold {
  readonly #options: KeeperOptions;
  readonly #zero: number;
  #keeper: Promise<Keeper> | null = null;
  #report: SectionReport | null = null;

  /** `zero`: the start of the transaction, CLOCK_MONOTONIC, ms. */
  constructor(zero: number, options: KeeperOptions) {
    this.#zero = zero;
    this.#options = options;
  }

  /** @throws HoldstillError E_HOLD_REFUSED, E_HOLD_FAILED, E_KEEPER */
  async arm(plan: SectionPlan): Promise<void> {
    this.#keeper = Keeper.arm(plan, this.#options);
    await this.#keeper;
  }

  /** @throws HoldstillError E_HOLD_BUSY, E_HOLD_FAILED, E_HOLD_LATE, E_HOLD_LAPSED, E_KEEPER */
  async hold(limitMs: number): Promise<void> {
    await (await this.#armed()).hold(limitMs);
  }

  /** @returns Why the snapshot is not of one instant; null: everything was held until now. */
  async release(): Promise<Fault | null> {
    try {
      this.#report = await (await this.#armed()).release();
      const lapse = lapseError(this.#report);
      return lapse === null ? null : toFault(lapse);
    } catch (error) {
      return toFault(error);
    }
  }

  /** Whatever became of it, the keeper goes. */
  async disarm(): Promise<void> {
    const keeper = await this.#keeper?.catch(() => null);
    await keeper?.disarm();
  }

  /** What is to be recorded of it. */
  get record(): RecordedHold | null {
    if (this.#report === null) return null;
    const { heldMs, targets } = this.#report;
    const held = targets.flatMap(({ target, heldAt, releasedAt }) =>
      heldAt === null || releasedAt === null
        ? []
        : [{ target, from: this.#since(heldAt), to: this.#since(releasedAt) }],
    );
    return { heldMs: round(heldMs), targets: held };
  }

  #armed(): Promise<Keeper> {
    if (this.#keeper === null) throw new Error("the keeper was never armed");
    return this.#keeper;
  }

  #since(monotonic: number): number {
    return round(monotonic - this.#zero);
  }
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000;
