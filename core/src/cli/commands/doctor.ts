import { visible } from "../../base/display/visible.js";
import { exit } from "../../base/errors/exit.js";
import type { DoctorCheck } from "../../base/schema/types.js";
import { command, noOperands } from "../parse/command.js";
import { prepareExit } from "../terminal/exit.js";
import { print, printDocument, stdoutStyle } from "../terminal/output.js";
import { type TerminalStyle, type TextStyle, wrapText } from "../terminal/style.js";

export const doctor = command({
  about:
    "Checks the kernel, rights, config, plugins, their programs, the state directory, each volume, and running database servers. Explains each finding, and shows the command that fixes it. Exits with 3 if something will fail.",
  operands: noOperands,
  options: {},
  examples: [
    { line: "holdstill doctor", does: "on the first day, and when something fails" },
    { line: "holdstill doctor --json", does: "{ checks }, for monitoring" },
  ],
  async run({ form, quiet, config }) {
    await prepareExit();
    const { examine } = await import("../../engine/setup/doctor.js");
    const checks = await examine(config === undefined ? {} : { config });
    if (form === "json") printDocument("doctor", { checks });
    else {
      const shown = visible(checks).filter(({ state }) => !quiet || state !== "good");
      print(shown.flatMap((check, at) => checkLines(check, shown[at + 1], stdoutStyle())));
    }
    return checks.some(({ state }) => state === "bad") ? exit.refused : 0;
  },
});

const marks: Readonly<Record<DoctorCheck["state"], { mark: string; colour: TextStyle }>> = {
  good: { mark: "✓", colour: "green" },
  note: { mark: "!", colour: "yellow" },
  bad: { mark: "✗", colour: "red" },
};

/** If several checks in a row have the same remedy, it is shown after the last of them. */
function checkLines(
  { about, state, found, means, remedy }: DoctorCheck,
  next: DoctorCheck | undefined,
  style: TerminalStyle,
): string[] {
  const { mark, colour } = marks[state];
  const indent = 13;
  const isShared = next?.about === about && next.means === means && next.remedy === remedy;
  const foundLines = wrapText(found, style.columns - indent);
  const meansLines = means === undefined || isShared ? [] : wrapText(means, style.columns - indent);
  const remedyLines = remedy === undefined || isShared ? [] : wrapText(remedy, style.columns - indent - 2);
  return [
    ...foundLines.map((line, at) =>
      at === 0 ? `${style.paint(colour, mark)} ${about.padEnd(indent - 2)}${line}` : pad(line, indent),
    ),
    ...meansLines.map((line) => style.paint("dim", pad(line, indent))),
    ...remedyLines.map((line, at) => pad(at === 0 ? `→ ${line}` : `  ${line}`, indent)),
  ];
}

const pad = (line: string, by: number): string => " ".repeat(by) + line;
