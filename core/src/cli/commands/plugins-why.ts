import type { AskedPlugin, ExplainedCandidate, PluginExplanation } from "../../base/schema/types.js";
import { explainPlugin } from "../../host/manifest/why.js";
import { command } from "../parse/command.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import type { TerminalStyle } from "../terminal/style.js";
import { section } from "../render/set.js";
import { type Cell, tableLines } from "../render/table.js";
import { visible } from "../../base/display/visible.js";

export const pluginsWhy = command({
  about:
    "Explains why a plugin is used or not. Shows the line of the config that asks for it, and every candidate found. For each candidate it shows the contract version, the versions of holdstill, the programs, and the ownership of its files.",
  operands: [{ name: "NAME" }],
  options: {},
  examples: [{ line: "holdstill plugins why writer-acme", does: "a plugin or an instance, by name" }],
  async run({ form, operands: [name = ""], open }) {
    const { settings } = await open("catalog");
    const explanation = await explainPlugin(name, settings);
    const { problems } = explanation;
    if (form === "json") printDocument("plugins-why", explanation);
    else {
      print(whyLines(visible(explanation), stdoutStyle()));
      for (const problem of problems) printError(faultLines(problem, stderrStyle()));
    }
    return 0;
  },
});

function whyLines({ host, asked, candidates, searched }: PluginExplanation, style: TerminalStyle): string[] {
  return [
    ...section("Asked for by", asked.length === 0 ? ["  nothing in the config"] : askedLines(asked, style), style),
    ...section(
      "Candidates",
      candidates.length === 0 ? ["  none"] : candidates.flatMap((one) => candidateLines(one, host, style)),
      style,
    ),
    ...section(
      "Searched, in this order",
      searched.map((folder) => `  ${folder}`),
      style,
    ),
  ].slice(1);
}

function askedLines(asked: readonly AskedPlugin[], style: TerminalStyle): string[] {
  const rows = asked.map(({ instance, use, policy, place, taken }): Cell[] => [
    { text: instance, style: "bold" },
    place === null ? "(settings)" : `${place.file}${place.line === undefined ? "" : `:${place.line}`}`,
    `use: ${use.name}${use.range === "*" ? "" : `@${use.range}`}, ${policy}`,
    taken === null ? { text: "uses none", style: "red" } : `uses ${taken.version}`,
  ]);
  return tableLines(rows, style);
}

function candidateLines(
  candidate: ExplainedCandidate,
  host: PluginExplanation["host"],
  style: TerminalStyle,
): string[] {
  const { name, version, dir, verdict, reason, needs, trust } = candidate;
  const rows: Cell[][] = [["folder", dir]];
  if (needs !== null) {
    const { runtime, holdstill, protocol, commands, environment } = needs;
    const used = protocol.used === null ? "none in common" : `${protocol.used} is used`;
    rows.push(
      ["runtime", runtime],
      ["holdstill", `needs ${holdstill}; this is ${host.version}`],
      ["contract", `supports ${protocol.spoken.join(", ")}; this host supports ${host.protocols.join(", ")}; ${used}`],
      ...commands.map(({ name: program, path }): Cell[] => ["program", path ?? `${program} is missing`]),
      ...environment.map(({ name: variable, isSet }): Cell[] => [
        "variable",
        `${variable}${isSet ? "" : " (not set)"}`,
      ]),
    );
  }
  for (const { problem, remedy } of trust) rows.push(["trust", `${problem}; ${remedy}`]);
  const colour = verdict === "taken" ? "green" : verdict === "refused" ? "red" : "dim";
  return [
    `  ${style.paint(colour, verdict)}  ${name} ${version}: ${reason}`,
    ...tableLines(rows, style, { indent: 4 }),
  ];
}
