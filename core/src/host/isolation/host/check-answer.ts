import type { Who } from "../../../base/errors/details.js";
import type { Finding } from "../../../base/schema/types.js";
import { HoldstillError } from "../../../base/errors/error.js";
import { type Validated, validateOpenly } from "../../../base/schema/validate.js";
import { firstUnfit, type Unfit } from "../data.js";
import { type AnswerOf, type OpOf, operations, type Role, type OpShape } from "../operations.js";

/** Loads the checks of a kind of plugin before its first call, so that nothing is loaded between freeze and thaw. */
export function preloadAnswerChecks(role: Role): void {
  for (const { answer } of Object.values(operations[role])) checkShape(answer, null, "");
}

/**
 * The result with its type, after a check. Properties that this version does not know are left out, and reported to `onUnknown`: the
 * plugin may be made for a later one.
 *
 * @throws HoldstillError E_ANSWER_INVALID
 */
export function checkAnswer<R extends Role, O extends OpOf<R>>(
  who: Who,
  op: O,
  value: unknown,
  onUnknown: (pointers: readonly string[]) => void,
): AnswerOf<R, O> {
  const file = `${who.instance}.${op}()`;
  const shape = operations[who.role][op]?.answer ?? "nothing";
  const unfit = firstUnfit(value);
  if (unfit !== null) throw notData(who, op, unfit);
  const result = checkShape(shape, value, file);
  const findings = result.ok ? namedTwice(shape, result.value, file) : result.findings;
  if (findings.length > 0) throw invalid(who, op, findings);
  if (result.unknown.length > 0) onUnknown(result.unknown.map(({ pointer }) => pointer));
  return (result.ok && shape !== "nothing" ? result.value : undefined) as AnswerOf<R, O>;
}

function checkShape(
  shape: OpShape,
  value: unknown,
  file: string,
): Validated<unknown> & { unknown: readonly Finding[] } {
  return validateOpenly(shape === "components" ? "components" : `contract#/$defs/${shape}`, value, file);
}

/** The error for a result that is not data of a limited size. The worker does not send such a result. */
export function notData(who: Who, op: string, unfit: Unfit): HoldstillError {
  return invalid(who, op, [{ file: `${who.instance}.${op}()`, ...unfit }]);
}

function invalid(who: Who, op: string, findings: Finding[]): HoldstillError {
  return new HoldstillError("E_ANSWER_INVALID", { who, op, findings });
}

/** A person and a restore refer to a component by its name. A schema cannot require that it is unique. */
function namedTwice(shape: string, value: unknown, file: string): Finding[] {
  if (shape !== "components") return [];
  const names = (value as { name: string }[]).map(({ name }) => name);
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ file, pointer: `/${index}/name`, seen: JSON.stringify(name), expected: "a unique name" }],
  );
}
