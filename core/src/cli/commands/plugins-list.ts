import type { Candidate } from "../../base/errors/details.js";
import { toFault } from "../../base/errors/error.js";
import type { Inspection } from "../../host/manifest/resolve.js";
import type { CommandLine } from "../../base/schema/types.js";
import { command, noOperands } from "../parse/command.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import type { TerminalStyle, TextStyle } from "../terminal/style.js";
import { section } from "../render/set.js";
import { type Cell, tableLines } from "../render/table.js";
import { visible } from "../../base/display/visible.js";

export const pluginsList = command({
  usage: "",
  about: "Every plugin on the plugin paths, for each instance the candidates, and why each was or wasn't taken.",
  operands: noOperands,
  options: {},
  examples: [{ line: "holdstill plugins list", does: "when another version runs than you thought" }],
  async run({ form, open }) {
    const inspection = await (await open("catalog")).plugins();
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
    plugins: plugins.map(({ who, dir, policy, isolation, memoryMb, freezeMs, protocol }) => ({
      who,
      dir,
      policy,
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

function pluginLines({ plugins, candidates, found }: Inspection, look: TerminalStyle): string[] {
  const instances = visible(plugins).map(({ who, policy, isolation }): Cell[] => [
    { text: who.instance, style: "bold" },
    who.role,
    `${who.plugin} ${who.version}`,
    isolation,
    policy,
  ]);
  const unused = found.filter(({ verdict }) => verdict === "unused" || verdict === "refused");
  return [
    ...section("Instances", tableLines(instances, look), look),
    ...[...candidates].flatMap(([instance, all]) =>
      section(`Candidates for ${instance}`, candidateLines(all, look), look),
    ),
    ...section("Others that were found", candidateLines(unused, look), look),
  ].slice(1);
}

const styles: { readonly [V in Candidate["verdict"]]: TextStyle } = {
  taken: "green",
  older: "dim",
  unused: "dim",
  refused: "red",
};

/** A folder may be long: it gets a line of its own. */
function candidateLines(candidates: readonly Candidate[], look: TerminalStyle): string[] {
  return visible(candidates).flatMap(({ name, version, dir, verdict, reason }) => [
    ...tableLines([[{ text: verdict.padEnd(7), style: styles[verdict] }, `${name} ${version}: ${reason}`]], look),
    look.paint("dim", `           ${dir}`),
  ]);
}
