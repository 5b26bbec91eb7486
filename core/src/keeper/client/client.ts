import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { singleOps } from "../commit-ops.js";
import { HoldstillError } from "../../base/errors/error.js";
import type { HoldTarget } from "../../base/schema/types.js";
import { holdOrder, type OrderedTarget } from "../policy/hold-order.js";
import { KeeperProcess, wayToRescue, waysToStart } from "./spawn.js";
import { registerFile } from "../hold-register.js";
import { refusalsOf } from "../policy/refusals.js";
import { type BackendName, targetName, type SectionPlan, type SectionReport } from "../section.js";
import { type ProtectedPath, readSystemState } from "../policy/system-tables.js";
import { deferred, within } from "./deferred.js";
import { holdError } from "./outcome.js";
import { type KeeperMessage, type ArmRequest, HEARTBEAT_MS } from "../wire.js";

export type { BackendName, TargetReport, ReleaseReason, SectionPlan, SectionReport } from "../section.js";
export { lapseError } from "./outcome.js";

/** For the keeper to start and to open everything, ms. */
const ARM_LIMIT_MS = 15_000;
/** What the keeper may be late by its own limit before the core gives it up, ms. */
const MARGIN_MS = 1000;

export interface KeeperOptions {
  /** Must stay usable: the state directory, the log file. */
  readonly guarded?: readonly ProtectedPath[];
  /** Not given: ioctl where koffi can be loaded. */
  readonly means?: BackendName;
  /** Under which its hold is found by `abandoned` when it was killed. */
  readonly name?: string;
}

type Over = Extract<KeeperMessage, { say: "over" }>;

/**
 * The core's side of the keeper, a process that holds volumes and releases them whatever becomes of the core.
 *
 *   arm ─▶ hold ─▶ release ─▶ disarm
 *
 * From hold to release the caller's event loop must turn: it sends the heartbeat, and after a second without one all is released.
 */
export class Keeper {
  readonly #plan: SectionPlan;
  readonly #stops: readonly OrderedTarget[];
  readonly #arms: ArmRequest;
  readonly #armed = deferred<BackendName>();
  readonly #held = deferred<void>();
  readonly #over = deferred<Over>();
  readonly #gone = deferred<void>();
  #process: KeeperProcess;
  #heart: NodeJS.Timeout | undefined;
  #means: BackendName = "ioctl";
  #state: "armed" | "on" | "over" = "armed";
  /** Why the first process died while it held. */
  #rescue: string | null = null;

  private constructor(plan: SectionPlan, stops: readonly OrderedTarget[], arms: ArmRequest, way: readonly string[]) {
    this.#plan = plan;
    this.#stops = stops;
    this.#arms = arms;
    this.#process = this.#spawn(way);
    this.#process.say({ say: "arm", arms });
  }

  #spawn(way: readonly string[]): KeeperProcess {
    const hear = (answer: KeeperMessage): void => this.#hear(answer);
    const calls = this.#stops.length + singleOps(this.#arms.ops).length;
    const own: KeeperProcess = new KeeperProcess(way, calls, hear, (why) => {
      if (own === this.#process) this.#lost(why);
    });
    return own;
  }

  /**
   * Starts the keeper and has it open everything that it will hold. Nothing is held yet.
   *
   * @throws HoldstillError E_HOLD_REFUSED, E_KEEPER
   */
  static async arm(
    plan: SectionPlan,
    { guarded = [], means, name = randomUUID() }: KeeperOptions = {},
  ): Promise<Keeper> {
    const around = readSystemState(guarded);
    const refusals = refusalsOf(plan, around);
    if (refusals.length > 0) throw new HoldstillError("E_HOLD_REFUSED", { refusals });
    const stops = holdOrder(plan.targets, around);
    const arms: ArmRequest = {
      targets: stops.map(({ station }) => station),
      ops: [...plan.ops],
      limitMs: plan.limitMs,
      lockMemory: plan.includeRoot,
      means: means ?? null,
      register: placeFor(name),
    };
    return Keeper.#start(plan, stops, arms);
  }

  static async #start(plan: SectionPlan, stops: readonly OrderedTarget[], arms: ArmRequest): Promise<Keeper> {
    let last: unknown;
    for (const way of waysToStart()) {
      const keeper = new Keeper(plan, stops, arms, way);
      try {
        keeper.#means = await within(ARM_LIMIT_MS, keeper.#armed.promise, late);
        return keeper;
      } catch (error) {
        last = error;
        keeper.#process.leaveAlone();
      }
    }
    throw last;
  }

  /** What the core waits for an answer, ms. */
  get #limitMs(): number {
    return this.#plan.limitMs + MARGIN_MS;
  }

  get means(): BackendName {
    return this.#means;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * Holds all points and does the operations. The limit, ms, may be shorter than planned. When it rejects, everything is released already, except for a point that the kernel
   * has not answered: that is released as soon as it comes.
   *
   * @throws HoldstillError E_HOLD_BUSY, E_HOLD_FAILED, E_HOLD_LATE, E_HOLD_LAPSED, E_KEEPER
   */
  async hold(limitMs = this.#plan.limitMs): Promise<void> {
    this.#state = "on";
    this.#process.say({ say: "hold", limitMs });
    this.#heart = setInterval(() => this.#process.say({ say: "beat" }), HEARTBEAT_MS);
    const failed = this.#over.promise.then((over) => {
      throw holdError(over, this.#arms.targets, this.#plan);
    });
    await this.#within("hold", Promise.race([this.#held.promise, failed]));
  }

  /** Releases, and says how it went; also when the keeper had to release by itself, or died. `lapseError` judges it. */
  async release(): Promise<SectionReport> {
    this.#process.say({ say: "release" });
    const { report } = await this.#within("release", this.#over.promise);
    clearInterval(this.#heart);
    // Every name of what was held has its line, in the order of the plan.
    const reportOf = this.#plan.targets.map((point) => {
      const name = this.#stops.find(({ points }) => points.includes(point))?.station.target ?? point;
      return report.targets.filter((own) => isSame(own.target, name)).map((own) => ({ ...own, point }));
    });
    return { ...report, targets: reportOf.flat() };
  }

  /** Ends the keeper; what it holds it releases. May come at any time, and twice. */
  async disarm(): Promise<void> {
    clearInterval(this.#heart);
    this.#process.say({ say: "disarm" });
    await Promise.race([this.#gone.promise, sleep(MARGIN_MS, undefined, { ref: false })]);
    this.#process.leaveAlone();
  }

  /** One that does not answer may have been killed while a call of its kept it from dying: then nobody has released. */
  async #within<T>(to: string, work: Promise<T>): Promise<T> {
    return within(this.#limitMs, work, () => {
      const error = new HoldstillError("E_KEEPER", { reason: `it did not answer to ${to}` });
      if (this.#rescue === null) {
        this.#process.kill();
        this.#lost(error.message);
      }
      return error;
    });
  }

  #hear(answer: KeeperMessage): void {
    switch (answer.say) {
      case "armed":
        return this.#armed.resolve(answer.means);
      case "unarmed":
        this.#over.reject(this.#unarmed(answer));
        return this.#armed.reject(this.#unarmed(answer));
      case "held":
        return this.#held.resolve();
      case "over":
        clearInterval(this.#heart);
        this.#state = "over";
        return this.#over.resolve(this.#rescue === null ? answer : rescued(answer, this.#rescue));
      case "late":
        return;
    }
  }

  #unarmed({ reason, station }: Extract<KeeperMessage, { say: "unarmed" }>): HoldstillError {
    const stop = station === null ? undefined : this.#stops[station];
    if (stop === undefined) return new HoldstillError("E_KEEPER", { reason });
    return new HoldstillError("E_HOLD_FAILED", { point: targetName(stop.station.target), reason });
  }

  /** The process is gone. If that was not its time somebody killed it, and what it may have held is released by another one. */
  #lost(why: string): void {
    this.#armed.reject(new HoldstillError("E_KEEPER", { reason: why }));
    clearInterval(this.#heart);
    if (this.#state !== "on" || this.#rescue !== null) {
      this.#over.reject(new HoldstillError("E_KEEPER", { reason: why }));
      this.#gone.resolve();
      return;
    }
    this.#rescue = why;
    this.#process = this.#spawn(wayToRescue(this.#arms.register));
  }
}

function placeFor(name: string): string {
  try {
    return registerFile(name);
  } catch (error) {
    throw new HoldstillError("E_KEEPER", { reason: error instanceof Error ? error.message : String(error) });
  }
}

/** What another keeper released counts as failed, though it was held without a gap: nobody kept the limits. */
function rescued(over: Over, why: string): Over {
  return { ...over, report: { ...over.report, reason: "failed" }, failure: { is: "fault", reason: why } };
}

const isSame = (one: HoldTarget, other: HoldTarget): boolean =>
  one.kind === other.kind && targetName(one) === targetName(other);

const late = (): HoldstillError => new HoldstillError("E_KEEPER", { reason: "it did not start in time" });
