import type { PluginPins } from "../../base/schema/types.js";
import { checkPluginLock, lockPlugins } from "../../engine/setup/plugin-lock.js";
import { command, noOperands } from "../parse/command.js";
import { stdoutStyle, print, printDocument } from "../terminal/output.js";
import type { TerminalStyle } from "../terminal/style.js";
import { type Cell, tableLines } from "../render/table.js";
import { visible } from "../../base/display/visible.js";

export const pluginsLock = command({
  about:
    "Writes holdstill.lock.json beside the config. It pins every plugin that the config uses, with a digest of each file. From then on, a plugin that differs is not loaded.",
  operands: noOperands,
  options: { check: { type: "flag", about: "write nothing; fail if a plugin differs from its pin" } },
  examples: [
    { line: "holdstill plugins lock", does: "after an intended update" },
    { line: "holdstill plugins lock --check", does: "checks that nothing has changed" },
  ],
  async run({ form, quiet, values, open }) {
    const { settings } = await open("catalog");
    const pins = await (values.check ? checkPluginLock(settings) : lockPlugins(settings));
    if (form === "json") printDocument("plugins-lock", pins);
    else if (!quiet) print(pinLines(visible(pins), values.check, stdoutStyle()));
    return 0;
  },
});

function pinLines({ file, plugins, dropped }: PluginPins, isCheck: boolean, style: TerminalStyle): string[] {
  const rows = plugins.map(({ name, version, content, was }): Cell[] => [
    { text: name, style: "bold" },
    version,
    was === "same" ? "as before" : was === "new" ? "new" : { text: "changed", style: "yellow" },
    content.slice(0, "sha256-".length + 12),
  ]);
  const changes = plugins.flatMap((plugin) =>
    plugin.changes.map(({ file: name, change }) => `  ${plugin.name} ${plugin.version}: ${name} was ${change}`),
  );
  return [
    isCheck ? `Every plugin matches ${file}:` : `Pinned in ${file}:`,
    ...tableLines(rows, style),
    ...changes,
    ...dropped.map(
      ({ name, version }) => `  ${name} ${version} is ${isCheck ? "pinned, but not used" : "no longer pinned"}`,
    ),
  ];
}
