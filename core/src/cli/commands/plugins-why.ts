import type { Asked, ExplainedCandidate, Explanation } from "../../host/manifest/why.js";
import { command } from "../parse/command.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import type { TerminalStyle } from "../terminal/style.js";
import { section } from "../render/set.js";
import { type Cell, tableLines } from "../render/table.js";
import { visible } from "../../base/display/visible.js";

export const pluginsWhy = command({
  usage: "NAME",
  about:
    "Why a plugin is taken or not: which line of the config asks for it, every candidate that was found, and of each the contract, the versions of holdstill, the programs and the rights that it needs.",
  operands: { name: "NAME", min: 1, max: 1 },
  options: {},
  examples: [{ line: "holdstill plugins why writer-postgres", does: "a plugin or an instance, by its name" }],
  async run({ form, operands: [name = ""], open }) {
    const explanation = await (await open("catalog")).explainPlugin(name);
    const { problems } = explanation;
    if (form === "json") printDocument("plugins-why", explanation);
    else {
      print(whyLines(visible(explanation), stdoutStyle()));
      for (const problem of problems) printError(faultLines(problem, stderrStyle()));
    }
    return 0;
  },
});

function whyLines({ host, asked, candidates, searched }: Explanation, look: TerminalStyle): string[] {
  return [
    ...section("Asked for by", asked.length === 0 ? ["  nothing in the config"] : askedLines(asked, look), look),
    ...section(
      "Candidates",
      candidates.length === 0 ? ["  none"] : candidates.flatMap((one) => candidateLines(one, host, look)),
      look,
    ),
    ...section(
      "Searched, in this order",
      searched.map((folder) => `  ${folder}`),
      look,
    ),
  ].slice(1);
}

function askedLines(asked: readonly Asked[], look: TerminalStyle): string[] {
  const rows = asked.map(({ instance, use, policy, place: at, taken }): Cell[] => [
    { text: instance, style: "bold" },
    at === null ? "(settings)" : `${at.file}${at.line === undefined ? "" : `:${at.line}`}`,
    `use: ${use.name}${use.range === "*" ? "" : `@${use.range}`}, ${policy}`,
    taken === null ? { text: "gets none", style: "red" } : `gets ${taken.version}`,
  ]);
  return tableLines(rows, look);
}

function candidateLines(candidate: ExplainedCandidate, host: Explanation["host"], look: TerminalStyle): string[] {
  const { name, version, dir, verdict, reason, needs, trust } = candidate;
  const rows: Cell[][] = [["folder", dir]];
  if (needs !== null) {
    const { holdstill, protocol, commands, environment } = needs;
    const used = protocol.used === null ? "none in common" : `${protocol.used} is used`;
    rows.push(
      ["holdstill", `needs ${holdstill}; this is ${host.version}`],
      ["contract", `speaks ${protocol.spoken.join(", ")}; this host ${host.protocols.join(", ")}; ${used}`],
      ...commands.map(({ name: program, path }): Cell[] => ["program", path ?? `${program} is missing`]),
      ...environment.map(({ name: variable, isSet }): Cell[] => [
        "variable",
        `${variable}${isSet ? "" : " (not set)"}`,
      ]),
    );
  }
  for (const { problem, remedy: mend } of trust) rows.push(["trust", `${problem}; ${mend}`]);
  const style = verdict === "taken" ? "green" : verdict === "refused" ? "red" : "dim";
  return [`  ${look.paint(style, verdict)}  ${name} ${version}: ${reason}`, ...tableLines(rows, look, { indent: 4 })];
}
