import type { Who } from "../../../base/errors/details.js";
import type { Finding } from "../../../base/schema/types.js";
import { HoldstillError } from "../../../base/errors/error.js";
import { type Validated, validate } from "../../../base/schema/validate.js";
import { ANSWER_LIMIT, exceeds } from "./answer-size.js";
import { type AnswerOf, type OpOf, operations, type Role, type OpShape } from "../operations.js";

/** Loads the checks of a kind of plugin before its first call, so that nothing is loaded between freeze and thaw. */
export function preloadAnswerChecks(role: Role): void {
  for (const { answer } of Object.values(operations[role])) checkShape(answer, null, "");
}

/** The result with its type, after a check. @throws HoldstillError E_ANSWER_INVALID */
export function checkAnswer<R extends Role, O extends OpOf<R>>(who: Who, op: O, value: unknown): AnswerOf<R, O> {
  const file = `${who.instance}.${op}()`;
  const shape = operations[who.role][op]?.answer ?? "nothing";
  if (exceeds(value)) throw tooLarge(who, op);
  const foreign = notJson(value, "", []);
  if (foreign !== null) throw invalid(who, op, [{ file, expected: "a JSON value", ...foreign }]);
  const result = checkShape(shape, value, file);
  const findings = result.ok ? namedTwice(shape, value, file) : result.findings;
  if (findings.length > 0) throw invalid(who, op, findings);
  return (shape === "nothing" ? undefined : value) as AnswerOf<R, O>;
}

function checkShape(shape: OpShape, value: unknown, file: string): Validated<unknown> {
  return validate(shape === "components" ? "components" : `contract#/$defs/${shape}`, value, file);
}

/** The error for a result that is too large. The worker does not send such a result. */
export function tooLarge(who: Who, op: string): HoldstillError {
  const expected = `a result of at most ${ANSWER_LIMIT / 1024 / 1024} MiB; write larger data to a file`;
  return invalid(who, op, [{ file: `${who.instance}.${op}()`, pointer: "", seen: "more", expected }]);
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

type Foreign = Pick<Finding, "pointer" | "seen">;

/** The first value that structured clone accepts and JSON does not. Results are stored in records, which are JSON. */
function notJson(value: unknown, pointer: string, parents: readonly object[]): Foreign | null {
  if (value === null || typeof value === "string" || typeof value === "boolean") return null;
  if (typeof value === "number") return Number.isFinite(value) ? null : { pointer, seen: String(value) };
  // A property that is undefined counts as absent.
  if (typeof value !== "object") return value === undefined ? null : { pointer, seen: typeof value };
  if (parents.includes(value)) return { pointer, seen: "a circle" };
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) {
    return { pointer, seen: value.constructor.name };
  }
  for (const [key, child] of Object.entries(value)) {
    const found = notJson(child, `${pointer}/${key}`, [...parents, value]);
    if (found !== null) return found;
  }
  return null;
}
