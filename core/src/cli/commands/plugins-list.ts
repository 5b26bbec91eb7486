import type { Candidate } from "../../base/errors/details.js";
import { toFault } from "../../base/errors/error.js";
import { inspectPlugins, type Inspection } from "../../host/manifest/resolve.js";
import type { CommandLine } from "../../base/schema/types.js";
import { command, noOperands } from "../parse/command.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import type { TerminalStyle, TextStyle } from "../terminal/style.js";
import { section } from "../render/set.js";
import { type Cell, tableLines } from "../render/table.js";
import { visible } from "../../base/display/visible.js";

export const pluginsList = command({
  about:
    "Lists every plugin on the plugin paths. For each instance it shows the candidates, and why each is used or not.",
  operands: noOperands,
  options: {},
  examples: [{ line: "holdstill plugins list", does: "when an unexpected version runs" }],
  async run({ form, open }) {
    const { settings } = await open("catalog");
    const inspection = await inspectPlugins(settings);
    const { problems, warnings } = inspection;
    if (form === "json") printDocument("plugins-list", documentOf(inspection));
    else {
      print(pluginLines(inspection, stdoutStyle()));
      printError(visible(warnings).map((warning) => `warning: ${warning}`));
      for (const problem of problems) printError(faultLines(toFault(problem), stderrStyle()));
    }
    return problems[0]?.exitCode ?? 0;
  },
});

/** Without the instances' options, which may hold a password. */
function documentOf({
  plugins,
  candidates,
  found,
  warnings,
  problems,
}: Inspection): Required<CommandLine>["plugins-list"] {
  return {
    plugins: plugins.map(({ who, dir, policy, runtime, isolation, memoryMb, freezeMs, protocol }) => ({
      who,
      dir,
      policy,
      runtime,
      isolation,
      memoryMb,
      freezeMs,
      protocol,
    })),
    candidates: Object.fromEntries(candidates),
    found,
    warnings,
    problems: problems.map((problem) => toFault(problem)),
  };
}

function pluginLines({ plugins, candidates, found }: Inspection, style: TerminalStyle): string[] {
  const instances = visible(plugins).map(({ who, policy, runtime, isolation }): Cell[] => [
    { text: who.instance, style: "bold" },
    who.role,
    `${who.plugin} ${who.version}`,
    runtime,
    isolation,
    policy,
  ]);
  const shown = new Set([...candidates.values()].flat().map(({ dir }) => dir));
  const others = found.filter(({ dir }) => !shown.has(dir));
  return [
    ...section("Instances", tableLines(instances, style), style),
    ...[...candidates].flatMap(([instance, all]) =>
      section(`Candidates for ${instance}`, candidateLines(all, style), style),
    ),
    ...section("Other plugins found", candidateLines(others, style), style),
  ].slice(1);
}

const colours: { readonly [V in Candidate["verdict"]]: TextStyle } = {
  taken: "green",
  older: "dim",
  unpinned: "yellow",
  unused: "dim",
  refused: "red",
};

/** The folder has a separate line, because it may be long. */
function candidateLines(candidates: readonly Candidate[], style: TerminalStyle): string[] {
  return visible(candidates).flatMap(({ name, version, dir, verdict, reason }) => [
    ...tableLines([[{ text: verdict.padEnd(8), style: colours[verdict] }, `${name} ${version}: ${reason}`]], style),
    style.paint("dim", `            ${dir}`),
  ]);
}
