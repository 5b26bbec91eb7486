import type { Candidate, TrustProblem } from "../../base/errors/details.js";
import type { Fault, Finding, Residue } from "../../base/schema/types.js";
import type { TerminalStyle } from "../terminal/style.js";
import { visible } from "../../base/display/visible.js";

/** An error as text: the sentence, what was seen, the next step. */
export function faultLines(thrown: Fault, style: TerminalStyle): string[] {
  const fault = visible(thrown);
  return [
    `${style.paint("bold", "holdstill:")} ${style.paint("red", fault.message)}`,
    ...detailLines(fault, style).map((line) => `  ${line}`),
    ...hintLines(fault),
  ];
}

export function findingLine({ file, line, pointer, seen, expected, nearest }: Finding): string {
  const location = `${file}${line === undefined ? "" : `:${line}`}${pointer === "" ? "" : ` ${pointer}`}`;
  return `${location}: found ${seen}, expected ${expected}${nearest === undefined ? "" : ` (did you mean ${nearest}?)`}`;
}

function candidateLine({ name, version, dir, verdict, reason }: Candidate): string {
  return `${name} ${version} in ${dir}: ${verdict}, ${reason}`;
}

export const residueLine = ({ actor, op, error }: Residue): string => `${actor}: ${op}: ${error.message}`;

/** What `details` has beyond the sentence. They are read by name, because an error may come from a record or a plugin. */
function detailLines({ details = {} }: Fault, style: TerminalStyle): string[] {
  return [
    ...listOf<Finding>(details.findings, ["file", "expected"]).map((finding) => findingLine(finding)),
    ...listOf<Candidate>(details.candidates, ["verdict"]).map((candidate) => candidateLine(candidate)),
    ...listOf<TrustProblem>(details.problems, ["path", "remedy"]).map(({ path, problem }) => `${path}: ${problem}`),
    ...listOf<Fault>(details.problems, ["code", "message"]).flatMap((problem) => problemLines(problem, style)),
    ...listOf<Residue>(details.residue, ["actor", "error"]).map((residue) => residueLine(residue)),
  ];
}

function problemLines(problem: Fault, style: TerminalStyle): string[] {
  const below = [...detailLines(problem, style), ...hintLines(problem)];
  return [`${style.paint("red", "✗")} ${problem.message}`, ...below.map((line) => `    ${line}`)];
}

/** The hint of many problems repeats each of them, and they are shown one by one already. */
function hintLines({ code, hint }: Fault): string[] {
  return hint === undefined || code === "E_PLUGINS_REFUSED" ? [] : [`→ ${hint}`];
}

function listOf<T>(value: unknown, has: readonly string[]): T[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is T => {
    return typeof item === "object" && item !== null && has.every((name) => name in item);
  });
}
