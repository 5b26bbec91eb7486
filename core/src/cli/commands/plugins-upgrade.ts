import type { PluginUpgrade } from "../../base/schema/types.js";
import { visible } from "../../base/display/visible.js";
import { planUpgrade, upgradePlugins } from "../../engine/setup/plugin-lock.js";
import { command, noOperands } from "../parse/command.js";
import { faultLines } from "../render/fault.js";
import { type Cell, tableLines } from "../render/table.js";
import { exitOf } from "../terminal/report-error.js";
import { print, printDocument, printError, stderrStyle, stdoutStyle } from "../terminal/output.js";
import type { TerminalStyle } from "../terminal/style.js";

export const pluginsUpgrade = command({
  about:
    "Pins the highest version of each plugin that the config allows. Until then, the versions in the lock file are used, also if a newer one is installed. If a newer version does not accept the options in the config, nothing changes.",
  operands: noOperands,
  options: { "dry-run": { type: "flag", about: "write nothing; show what would change" } },
  examples: [
    { line: "holdstill plugins upgrade --dry-run", does: "shows versions, options, and what the config lacks" },
    { line: "holdstill plugins upgrade", does: "uses the newer versions from now on" },
  ],
  async run({ form, quiet, values, open }) {
    const { settings } = await open("catalog");
    const isDryRun = values["dry-run"];
    const upgrade = await (isDryRun ? planUpgrade(settings) : upgradePlugins(settings));
    if (form === "json") printDocument("plugins-upgrade", upgrade);
    else if (!quiet) print(upgradeLines(visible(upgrade), isDryRun, stdoutStyle()));
    if (form !== "json") for (const problem of upgrade.problems) printError(faultLines(problem, stderrStyle()));
    const [problem] = upgrade.problems;
    return problem === undefined ? 0 : exitOf(problem);
  },
});

function upgradeLines({ file, plugins }: PluginUpgrade, isDryRun: boolean, style: TerminalStyle): string[] {
  const rows = plugins.map(({ name, from, to, newOptions, droppedOptions }): Cell[] => [
    { text: name, style: "bold" },
    from === to ? to : `${from ?? "none"} → ${to}`,
    from === to ? "as before" : optionChanges(newOptions, droppedOptions),
  ]);
  return [isDryRun ? `\`plugins upgrade\` would pin in ${file}:` : `Pinned in ${file}:`, ...tableLines(rows, style)];
}

function optionChanges(added: readonly string[], dropped: readonly string[]): string {
  const parts = [
    ...(added.length === 0 ? [] : [`new options: ${added.join(", ")}`]),
    ...(dropped.length === 0 ? [] : [`without options: ${dropped.join(", ")}`]),
  ];
  return parts.length === 0 ? "the same options" : parts.join("; ");
}
