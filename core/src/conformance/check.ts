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
  /** @throws CheckFailure, Skip, HoldstillError */
  run(stage: Stage): Promise<void> | void;
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

/** How often a call may miss the signal: on a busy machine a correct plugin may, and one that ignores it always does. */
const TRIES = 3;

/** Runs a call that is cut off. @throws CheckFailure if the worker had to be killed each time. */
export async function runObeying(step: string, attempt: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isHoldstillError(error) || error.code !== "E_PLUGIN_DIED") throw error;
      if (tries === TRIES)
        throw new CheckFailure(`${step} continued after its signal had fired, and its worker was killed.`);
    }
  }
}

/** The check cannot be made, for a reason that is not an error. */
export class Skip extends Error {
  override readonly name = "Skip";
}

export interface CheckContext {
  readonly runtime?: Runtime;
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
  { runtime, earlier, after, redact: hide, onResult, signal, only }: CheckContext,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    if (only?.has(check.name) === false) continue;
    signal.throwIfAborted();
    const lacking = lackOf(check, [...earlier, ...results]);
    const outcome = lacking ?? (await outcomeOf(check, stage));
    const result = outcome.status === "failed" ? { ...outcome, seen: hide(outcome.seen) } : outcome;
    if (lacking === undefined) await after(result.status);
    const placed = runtime === undefined ? result : { ...result, runtime };
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

async function outcomeOf<S>(check: ConformanceCheck<S>, stage: S): Promise<CheckResult> {
  const begun = performance.now();
  const ms = (): number => Math.round(performance.now() - begun);
  try {
    await check.run(stage);
    return { status: "passed", ...headOf(check), ms: ms() };
  } catch (error) {
    if (error instanceof Skip) return { status: "skipped", ...headOf(check), reason: error.message };
    if (error instanceof CheckFailure) {
      return { status: "failed", ...headOf(check), ms: ms(), seen: error.message, next: error.next ?? check.next };
    }
    if (isHoldstillError(error)) {
      const next = error.code.startsWith("E_EXEC_") ? error.hint : check.next;
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
