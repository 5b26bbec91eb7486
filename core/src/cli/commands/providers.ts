import type { ProviderStatus } from "../../engine/types.js";
import { command, noOperands } from "../parse/command.js";
import { exitOf } from "../terminal/report-error.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { capabilityLines } from "../render/capabilities.js";
import { faultLines } from "../render/fault.js";
import { bold, type TerminalStyle } from "../terminal/style.js";
import { tableLines } from "../render/table.js";
import { bytes, instant } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

export const providers = command({
  about:
    "Asks every provider which snapshots exist, whether or not the catalog has them. With --volumes, also what it can do for each mounted file system on a block device.",
  operands: noOperands,
  options: { volumes: { type: "flag", about: "also show what each provider can do for the mounted file systems" } },
  examples: [
    { line: "holdstill providers", does: "every snapshot, and its set" },
    {
      line: "holdstill providers --volumes",
      does: "also what each can do for the mounted file systems",
    },
  ],
  async run({ form, connect, values }) {
    const engine = await connect("workers");
    const all = await engine.providers();
    const capabilities = values.volumes ? await engine.capabilities() : [];
    if (form === "json") printDocument("providers", { providers: all, ...(values.volumes ? { capabilities } : {}) });
    else {
      const known = visible(capabilities);
      const style = stdoutStyle();
      print(
        visible(all).flatMap((one) => [
          ...providerLines(one, style),
          ...known.filter(({ who }) => who.instance === one.who.instance).flatMap((can) => capabilityLines(can, style)),
        ]),
      );
    }
    const failed = all.flatMap((one) => ("error" in one ? [one.error] : []));
    if (form === "text") for (const error of failed) printError(faultLines(error, stderrStyle()));
    return failed[0] === undefined ? 0 : exitOf(failed[0]);
  },
});

function providerLines(status: ProviderStatus, style: TerminalStyle): string[] {
  const { instance, plugin, version } = status.who;
  const head = `${bold(style, instance)} (${plugin} ${version})`;
  if (!("snapshots" in status)) return [`${head}: ${style.paint("red", "✗ did not list its snapshots")}`];
  const part = "error" in status ? [`  ${style.paint("red", "✗ could not see all of its storage")}`] : [];
  if (status.snapshots.length === 0 && part.length === 0) return [`${head}: no snapshots`];
  const rows = status.snapshots.map(({ id, setId, createdAt, bytes: size }) => [
    setId,
    instant(createdAt),
    size === undefined ? "" : bytes(size),
    id,
  ]);
  return [head, ...tableLines(rows, style, { right: [2] }), ...part];
}
