import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { singleOps } from "../../base/schema/commit-ops.js";
import { HoldstillError } from "../../base/errors/error.js";
import type { HoldTarget } from "../../base/schema/types.js";
import { preloadLibc } from "../../os/libc.js";
import { holdOrder, type OrderedTarget } from "../policy/hold-order.js";
import { KeeperProcess, keeperCommands, rescueCommand } from "./spawn.js";
import { registerFile } from "../hold-register.js";
import { refusalsOf } from "../policy/refusals.js";
import { targetName, type SectionPlan, type SectionReport } from "../section.js";
import { type ProtectedPath, readSystemState } from "../policy/system-tables.js";
import { deferred, within } from "./deferred.js";
import { holdError } from "./outcome.js";
import { type ArmRequest, HEARTBEAT_MS, type KeeperMessage, type SectionEnd } from "../wire.js";

export type { TargetReport, ReleaseReason, SectionPlan, SectionReport } from "../section.js";
export { lapseError } from "./outcome.js";

/** For the keeper to start and to open everything, ms. Nothing is frozen yet, so a busy machine gets the time that it needs. */
const ARM_LIMIT_MS = 60_000;
/** How long the core waits after the keeper's own limit before it gives the keeper up, ms. */
const MARGIN_MS = 1000;

export interface KeeperOptions {
  /** Must stay usable: the state directory, the log file. */
  readonly protectedPaths?: readonly ProtectedPath[];
  /** `abandonedHolds` finds the holds of a killed keeper under this name. */
  readonly name?: string;
}

/**
 * The core's side of the keeper, a process that holds volumes and releases them whatever becomes of the core.
 *
 *   arm ─▶ hold ─▶ release ─▶ disarm
 *
 * From hold to release the caller's event loop must turn: it sends the heartbeat, and after a second without one everything is released.
 */
export class Keeper {
  readonly #plan: SectionPlan;
  readonly #targets: readonly OrderedTarget[];
  readonly #request: ArmRequest;
  readonly #armed = deferred<void>();
  readonly #held = deferred<void>();
  readonly #over = deferred<SectionEnd>();
  readonly #gone = deferred<void>();
  #process: KeeperProcess;
  #heartbeat: NodeJS.Timeout | undefined;
  #state: "armed" | "on" | "over" = "armed";
  /** Why the first process died while it held. */
  #deathReason: string | null = null;

  private constructor(
    plan: SectionPlan,
    targets: readonly OrderedTarget[],
    request: ArmRequest,
    command: readonly string[],
  ) {
    this.#plan = plan;
    this.#targets = targets;
    this.#request = request;
    this.#process = this.#spawn(command);
    this.#process.send({ type: "arm", request });
  }

  #spawn(command: readonly string[]): KeeperProcess {
    const calls = this.#targets.length + singleOps(this.#request.ops).length;
    const receive = (message: KeeperMessage): void => this.#receive(message);
    const own: KeeperProcess = new KeeperProcess(command, calls, receive, (reason) => {
      if (own === this.#process) this.#ended(reason);
    });
    return own;
  }

  /**
   * Starts the keeper, which opens everything that it will hold. Nothing is held yet.
   *
   * @throws HoldstillError E_HOLD_REFUSED, E_HOLD_FAILED, E_KEEPER, E_NATIVE_MISSING
   */
  static async arm(
    plan: SectionPlan,
    { protectedPaths = [], name = randomUUID() }: KeeperOptions = {},
  ): Promise<Keeper> {
    // The keeper's process loads it from the same installation.
    preloadLibc();
    const system = readSystemState(protectedPaths);
    const refusals = refusalsOf(plan, system);
    if (refusals.length > 0) throw new HoldstillError("E_HOLD_REFUSED", { refusals });
    const targets = holdOrder(plan.targets, system);
    const register = registerFor(name);
    const request: ArmRequest = {
      targets: targets.map(({ target }) => target),
      ops: [...plan.ops],
      limitMs: plan.limitMs,
      lockMemory: plan.includeRoot,
      register,
      rescue: rescueCommand(register),
    };
    return Keeper.#start(plan, targets, request);
  }

  static async #start(plan: SectionPlan, targets: readonly OrderedTarget[], request: ArmRequest): Promise<Keeper> {
    let last: unknown;
    for (const command of keeperCommands()) {
      const keeper = new Keeper(plan, targets, request, command);
      try {
        await within(ARM_LIMIT_MS, keeper.#armed.promise, notStarted);
        return keeper;
      } catch (error) {
        last = error;
        keeper.#process.abandon();
      }
    }
    throw last;
  }

  /** How long the core waits for an answer, ms. */
  get #limitMs(): number {
    return this.#plan.limitMs + MARGIN_MS;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * Holds all targets and runs the operations. The limit, ms, may be shorter than planned. When it rejects, everything is released
   * already. The exception is a target for which the kernel has not answered: that one is released as soon as it is held.
   *
   * @throws HoldstillError E_HOLD_BUSY, E_HOLD_FAILED, E_HOLD_LATE, E_HOLD_LAPSED, E_KEEPER
   */
  async hold(limitMs = this.#plan.limitMs): Promise<void> {
    this.#state = "on";
    this.#process.send({ type: "hold", limitMs });
    this.#heartbeat = setInterval(() => this.#process.send({ type: "beat" }), HEARTBEAT_MS);
    const failed = this.#over.promise.then((over) => {
      throw holdError(over, this.#request.targets, this.#plan);
    });
    await this.#answerTo("hold", Promise.race([this.#held.promise, failed]));
  }

  /** Releases, and reports the result, also when the keeper had released before or has died. `lapseError` judges the report. */
  async release(): Promise<SectionReport> {
    this.#process.send({ type: "release" });
    const { report } = await this.#answerTo("release", this.#over.promise);
    clearInterval(this.#heartbeat);
    // Each target of the plan has its entry, in the order of the plan, although several may name the same file system.
    const targets = this.#plan.targets.map((target) => {
      const armed = this.#targets.find(({ names }) => names.includes(target))?.target.target ?? target;
      return report.targets.filter((one) => isSame(one.target, armed)).map((one) => ({ ...one, target }));
    });
    return { ...report, targets: targets.flat() };
  }

  /** Ends the keeper, which releases what it holds. It may be called at any time, and twice. */
  async disarm(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#process.send({ type: "disarm" });
    await Promise.race([this.#gone.promise, sleep(MARGIN_MS, undefined, { ref: false })]);
    this.#process.abandon();
  }

  /** A keeper that does not answer may have been killed while a system call keeps it from dying: then nothing was released. */
  async #answerTo<T>(message: "hold" | "release", answer: Promise<T>): Promise<T> {
    return within(this.#limitMs, answer, () => {
      const error = new HoldstillError("E_KEEPER", { reason: `it did not answer to ${message}` });
      if (this.#deathReason === null) {
        this.#process.kill();
        this.#ended(error.message);
      }
      return error;
    });
  }

  #receive(message: KeeperMessage): void {
    switch (message.type) {
      case "armed":
        return this.#armed.resolve();
      case "unarmed": {
        const error = this.#unarmed(message);
        this.#over.reject(error);
        return this.#armed.reject(error);
      }
      case "held":
        return this.#held.resolve();
      case "over":
        clearInterval(this.#heartbeat);
        this.#state = "over";
        return this.#over.resolve(this.#deathReason === null ? message : rescued(message, this.#deathReason));
    }
  }

  #unarmed({ reason, index }: Extract<KeeperMessage, { type: "unarmed" }>): HoldstillError {
    const target = index === null ? undefined : this.#request.targets[index];
    if (target === undefined) return new HoldstillError("E_KEEPER", { reason });
    return new HoldstillError("E_HOLD_FAILED", { where: targetName(target.target), reason });
  }

  /** The process is gone. If it was killed during the section, another process releases what it may have held. */
  #ended(reason: string): void {
    this.#armed.reject(new HoldstillError("E_KEEPER", { reason }));
    clearInterval(this.#heartbeat);
    if (this.#state !== "on" || this.#deathReason !== null) {
      this.#over.reject(new HoldstillError("E_KEEPER", { reason }));
      this.#gone.resolve();
      return;
    }
    this.#deathReason = reason;
    this.#process = this.#spawn(this.#request.rescue);
  }
}

function registerFor(name: string): string {
  try {
    return registerFile(name);
  } catch (error) {
    throw new HoldstillError("E_KEEPER", { reason: error instanceof Error ? error.message : String(error) });
  }
}

/** What another keeper released counts as failed, even if it was held without a gap: no process enforced the limits. */
function rescued(end: SectionEnd, reason: string): SectionEnd {
  return { ...end, report: { ...end.report, reason: "failed" }, failure: { type: "fault", reason } };
}

const isSame = (one: HoldTarget, other: HoldTarget): boolean =>
  one.kind === other.kind && targetName(one) === targetName(other);

const notStarted = (): HoldstillError => new HoldstillError("E_KEEPER", { reason: "it did not start in time" });
