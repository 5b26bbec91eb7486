import { availableParallelism, loadavg } from "node:os";
import { isHoldstillError, toFault } from "../base/errors/error.js";
import type { CheckResult, Finding, Runtime } from "../base/schema/types.js";

/** One requirement on a plugin. */
export interface ConformanceCheck<Stage> {
  /** Stable: reports, scripts, and the tests of the suite refer to it. */
  readonly name: string;
  readonly group: string;
  /** The requirement, as a sentence. */
  readonly title: string;
  /** What the author has to do if it is not met. */
  readonly next: string;
  /** Checks that must have passed before. */
  readonly needs?: readonly string[];
  /** @returns What could not be tested, as a sentence. @throws CheckFailure, Skip, HoldstillError */
  run(stage: Stage): Promise<string | void> | string | void;
}

/** The requirement is not met. */
export class CheckFailure extends Error {
  override readonly name = "Failure";
  /** null: as the check's `next`. */
  readonly next: string | null;

  constructor(seen: string, next: string | null = null) {
    super(seen);
    this.next = next;
  }
}

/**
 * How often a call may miss the signal: where many processes wait for each processor, a correct plugin may, and one that ignores the
 * signal always does.
 */
const triesNow = (): number => ((loadavg()[0] ?? 0) > 2 * availableParallelism() ? 10 : 3);

/** Runs a call that is cut off. @throws CheckFailure if the worker had to be killed each time. */
export async function runObeying(step: string, attempt: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isHoldstillError(error) || error.code !== "E_PLUGIN_DIED") throw error;
      if (tries >= triesNow())
        throw new CheckFailure(`${step} continued after its signal had fired, and its worker was killed.`);
    }
  }
}

/**
 * Undoes a call that was cut off. What goes wrong is then a matter of abort, and not of the signal: only a worker that was killed has
 * not obeyed it.
 */
export async function afterCutOff(undo: () => Promise<void>): Promise<void> {
  try {
    await undo();
  } catch (error) {
    const isAbortFault = error instanceof CheckFailure || (isHoldstillError(error) && error.code !== "E_PLUGIN_DIED");
    if (!isAbortFault) throw error;
    throw new CheckFailure(
      seenOf(error),
      "Let abort find what a call that was cut off has made, also a part of it, in the application or the storage itself, by tx.id.",
    );
  }
}

/** The check cannot be made, for a reason that is not an error. */
export class Skip extends Error {
  override readonly name = "Skip";
}

export interface CheckContext {
  readonly runtime?: Runtime;
  readonly variant?: number;
  /** Undoes what a check has begun that is made again. */
  readonly again?: () => Promise<void>;
  /** Why no check can be made any more; null: they can. */
  readonly obstacle?: () => string | null;
  /** Results of the checks before. */
  readonly earlier: readonly CheckResult[];
  /** Called after each check that was made, so that what a failed one left does not affect the next. */
  readonly after: (status: CheckResult["status"]) => Promise<void>;
  readonly onResult: (result: CheckResult) => void;
  /** Removes secrets from a text. */
  readonly redact: (text: string) => string;
  /** No further check is begun. */
  readonly signal: AbortSignal;
  /** Names of the checks that are wanted; null: all. */
  readonly only: ReadonlySet<string> | null;
}

/** Makes the checks in their order. Any other error than those of `ConformanceCheck.run` is a bug in the suite. */
export async function runChecks<Stage>(
  checks: readonly ConformanceCheck<Stage>[],
  stage: Stage,
  {
    runtime,
    variant,
    obstacle = () => null,
    earlier,
    after,
    again,
    redact: hide,
    onResult,
    signal,
    only,
  }: CheckContext,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    if (only?.has(check.name) === false) continue;
    signal.throwIfAborted();
    const reason = obstacle();
    const lacking =
      reason === null
        ? lackOf(check, [...earlier, ...results])
        : ({ status: "skipped", ...headOf(check), reason } as const);
    const outcome = lacking ?? (await outcomeOf(check, stage, again));
    const result = outcome.status === "failed" ? { ...outcome, seen: hide(outcome.seen) } : outcome;
    if (lacking === undefined) await after(result.status);
    const placed = {
      ...result,
      ...(runtime === undefined ? {} : { runtime }),
      ...(variant === undefined ? {} : { variant }),
    };
    onResult(placed);
    results.push(placed);
  }
  return results;
}

/** The names, and those of all checks that these need. Throws nothing for a name that no check has. */
export function withNeeds(
  names: readonly string[],
  checks: readonly Pick<ConformanceCheck<never>, "name" | "needs">[],
): Set<string> {
  const wanted = new Set<string>();
  const want = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const check of checks) if (check.name === name) check.needs?.forEach(want);
  };
  names.forEach(want);
  return wanted;
}

const headOf = <S>({ name, group, title }: ConformanceCheck<S>) => ({ name, group, title });

function lackOf<S>(check: ConformanceCheck<S>, results: readonly CheckResult[]): CheckResult | undefined {
  for (const name of check.needs ?? []) {
    const needed = results.findLast((result) => result.name === name);
    if (needed?.status === "passed") continue;
    const what = needed?.status === "failed" ? "which failed" : "which was not tried";
    return { status: "skipped", ...headOf(check), reason: `it needs ${name}, ${what}` };
  }
  return undefined;
}

/** On a busy machine the suite itself may leave the keeper without a word for too long, which is not the plugin's fault. */
async function runHeld<S>(check: ConformanceCheck<S>, stage: S, again: CheckContext["again"]): Promise<string | void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await check.run(stage);
    } catch (error) {
      const isLapse = isHoldstillError(error) && error.code === "E_HOLD_LAPSED";
      if (!isLapse || again === undefined || tries >= triesNow()) throw error;
      await again();
    }
  }
}

async function outcomeOf<S>(check: ConformanceCheck<S>, stage: S, again: CheckContext["again"]): Promise<CheckResult> {
  const begun = performance.now();
  const ms = (): number => Math.round(performance.now() - begun);
  try {
    const note = await runHeld(check, stage, again);
    return { status: "passed", ...headOf(check), ms: ms(), ...(typeof note === "string" ? { note } : {}) };
  } catch (error) {
    if (error instanceof Skip) return { status: "skipped", ...headOf(check), reason: error.message };
    if (error instanceof CheckFailure) {
      return { status: "failed", ...headOf(check), ms: ms(), seen: error.message, next: error.next ?? check.next };
    }
    if (isHoldstillError(error)) {
      // What the host itself refused, it can explain better than the check.
      const next = /^E_(EXEC|HOLD)_/.test(error.code) ? error.hint : check.next;
      return { status: "failed", ...headOf(check), ms: ms(), seen: seenOf(error), next };
    }
    throw error;
  }
}

/** An error as one text, with the findings about a result and the plugin's hint. */
export function seenOf(error: unknown): string {
  const { message, details = {} } = toFault(error);
  const findings = Array.isArray(details.findings) ? (details.findings as Finding[]) : [];
  const hint = typeof details.pluginHint === "string" ? [`(its hint: ${details.pluginHint})`] : [];
  return [message, ...findings.map(findingText), ...hint].join(" ");
}

export function findingText({ file, line, pointer, seen, expected, nearest }: Finding): string {
  const place = `${file}${line === undefined ? "" : `:${line}`}${pointer === "" ? "" : ` at ${pointer}`}`;
  const end = nearest === undefined ? expected : `${expected} (did you mean ${nearest}?)`;
  return `${place}: seen ${seen}, expected ${end}${end.endsWith("?") ? "" : "."}`;
}
