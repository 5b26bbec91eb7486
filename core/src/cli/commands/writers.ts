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
  usage: "",
  about: "Asks every writer of the config what it owns. Ends with an error's code when a required one cannot say.",
  operands: noOperands,
  options: {},
  examples: [{ line: "holdstill writers", does: "who takes part, and with which paths" }],
  async run({ form, connect: reach }) {
    const all = await (await reach("workers")).writers();
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

function writerLines(status: WriterStatus, look: TerminalStyle): string[] {
  const { instance, plugin, version } = status.who;
  const head = `${bold(look, instance)} (${plugin} ${version}), ${status.policy}`;
  if ("error" in status)
    return [`${head}: ${look.paint("red", "✗ did not say what it owns")}`, ...lastLines(status, look)];
  const rows = status.components.map(({ name, kind, tolerates, level = "back-end", paths }) => [
    name,
    kind,
    tolerates,
    level,
    paths.join(" "),
  ]);
  const servers = status.servers.map(({ pid, unit }) => `  runs as pid ${pid}${unit === null ? "" : ` of ${unit}`}`);
  return [head, ...tableLines(rows, look), ...servers, ...lastLines(status, look)];
}

function lastLines({ last }: WriterStatus, look: TerminalStyle): string[] {
  if (last === null) return [];
  const { at, result, frozenMs, reason: why } = last;
  const still = frozenMs === null ? "" : `, still for ${duration(frozenMs)}`;
  const line = `  last ${instant(at)}: ${result}${still}`;
  if (result === "frozen") return [line];
  return [look.paint("red", line), ...wrapText(why ?? "", look.columns - 4).map((part) => `    ${part}`)];
}
