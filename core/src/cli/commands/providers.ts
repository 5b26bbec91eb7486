import type { ProviderStatus } from "../../engine/types.js";
import { command, noOperands } from "../parse/command.js";
import { exitOf } from "../terminal/report-error.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import { bold, type TerminalStyle } from "../terminal/style.js";
import { tableLines } from "../render/table.js";
import { bytes, instant } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

export const providers = command({
  about: "Asks every provider which snapshots exist, whether or not the catalog has them.",
  operands: noOperands,
  options: {},
  examples: [{ line: "holdstill providers", does: "every snapshot, and its set" }],
  async run({ form, connect }) {
    const all = await (await connect("workers")).providers();
    if (form === "json") printDocument("providers", { providers: all });
    else print(visible(all).flatMap((one) => providerLines(one, stdoutStyle())));
    const failed = all.flatMap((one) => ("error" in one ? [one.error] : []));
    if (form === "text") for (const error of failed) printError(faultLines(error, stderrStyle()));
    return failed[0] === undefined ? 0 : exitOf(failed[0]);
  },
});

function providerLines(status: ProviderStatus, style: TerminalStyle): string[] {
  const { instance, plugin, version } = status.who;
  const head = `${bold(style, instance)} (${plugin} ${version})`;
  if ("error" in status) return [`${head}: ${style.paint("red", "✗ did not list its snapshots")}`];
  if (status.snapshots.length === 0) return [`${head}: no snapshots`];
  const rows = status.snapshots.map(({ id, setId, createdAt, bytes: size }) => [
    setId,
    instant(createdAt),
    size === undefined ? "" : bytes(size),
    id,
  ]);
  return [head, ...tableLines(rows, style, { right: [2] })];
}
