import type { WriterStatus } from "../../engine/types.js";
import { command, noOperands } from "../parse/command.js";
import { exitOf } from "../terminal/report-error.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import { bold, type TerminalStyle, wrapText } from "../terminal/style.js";
import { tableLines } from "../render/table.js";
import { duration, instant } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

export const writers = command({
  about:
    "Asks every writer in the config what it owns, and shows how its last freeze went. If a required writer fails, exits with the exit code of its error.",
  operands: noOperands,
  options: {},
  examples: [{ line: "holdstill writers", does: "each writer, its components, and their paths" }],
  async run({ form, connect }) {
    const all = await (await connect("workers")).writers();
    if (form === "json") printDocument("writers", { writers: all });
    else
      print(
        all.length === 0
          ? ["The config names no writers."]
          : visible(all).flatMap((one) => writerLines(one, stdoutStyle())),
      );
    const failed = all.flatMap((one) => ("error" in one ? [one] : []));
    if (form === "text") for (const { error } of failed) printError(faultLines(error, stderrStyle()));
    const worst = failed.find(({ policy }) => policy === "required");
    return worst === undefined ? 0 : exitOf(worst.error);
  },
});

function writerLines(status: WriterStatus, style: TerminalStyle): string[] {
  const { instance, plugin, version } = status.who;
  const head = `${bold(style, instance)} (${plugin} ${version}), ${status.policy}`;
  if ("error" in status)
    return [`${head}: ${style.paint("red", "✗ did not report what it owns")}`, ...lastLines(status, style)];
  const rows = status.components.map(({ name, kind, tolerates, level = "back-end", paths }) => [
    name,
    kind,
    tolerates,
    level,
    paths.join(" "),
  ]);
  const servers = status.servers.map(({ pid, unit }) => `  runs as pid ${pid}${unit === null ? "" : ` of ${unit}`}`);
  return [head, ...tableLines(rows, style), ...servers, ...lastLines(status, style)];
}

function lastLines({ last }: WriterStatus, style: TerminalStyle): string[] {
  if (last === null) return [];
  const { at, result, frozenMs, reason } = last;
  const frozen = frozenMs === null ? "" : ` for ${duration(frozenMs)}`;
  const line = `  last freeze ${instant(at)}: ${result}${frozen}`;
  if (result === "frozen") return [line];
  return [style.paint("red", line), ...wrapText(reason ?? "", style.columns - 4).map((part) => `    ${part}`)];
}
