import { exit } from "../../base/errors/exit.js";
import type { DoctorCheck } from "../../base/schema/types.js";
import { command, noOperands } from "../parse/command.js";
import { prepareExit } from "../terminal/exit.js";
import { stdoutStyle, print, printDocument } from "../terminal/output.js";
import { type TerminalStyle, type TextStyle, wrapText } from "../terminal/style.js";
import { visible } from "../../base/display/visible.js";

export const doctor = command({
  usage: "",
  about:
    "Looks at all that a snapshot will need: kernel, rights, config, plugins, their tools, the state directory, how each volume would be captured, and which database servers run that no writer holds still. Says what each finding means, and what mends it. Ends with 3 when something will fail.",
  operands: noOperands,
  options: {},
  examples: [
    { line: "holdstill doctor", does: "on day one, and when something is odd" },
    { line: "holdstill doctor --json", does: "{ checks }, for monitoring" },
  ],
  async run({ form, quiet, config }) {
    await prepareExit();
    const { examine } = await import("../../engine/setup/doctor.js");
    const checks = await examine(config === undefined ? {} : { config });
    if (form === "json") printDocument("doctor", { checks });
    else {
      const told = visible(checks).filter(({ state }) => !quiet || state !== "good");
      print(told.flatMap((check, at) => checkLines(check, told[at + 1], stdoutStyle())));
    }
    return checks.some(({ state }) => state === "bad") ? exit.refused : 0;
  },
});

const marks: Readonly<Record<DoctorCheck["state"], { mark: string; style: TextStyle }>> = {
  good: { mark: "✓", style: "green" },
  note: { mark: "!", style: "yellow" },
  bad: { mark: "✗", style: "red" },
};

/** What several have in common is said after the last of them. */
function checkLines(
  { about, state, found, means, remedy: mend }: DoctorCheck,
  next: DoctorCheck | undefined,
  look: TerminalStyle,
): string[] {
  const { mark, style } = marks[state];
  const indent = 13;
  const isCommon = next?.about === about && next.means === means && next.remedy === mend;
  const told = wrapText(found, look.columns - indent);
  const meant = means === undefined || isCommon ? [] : wrapText(means, look.columns - indent);
  const mended = mend === undefined || isCommon ? [] : wrapText(mend, look.columns - indent - 2);
  return [
    ...told.map((line, at) =>
      at === 0 ? `${look.paint(style, mark)} ${about.padEnd(indent - 2)}${line}` : pad(line, indent),
    ),
    ...meant.map((line) => look.paint("dim", pad(line, indent))),
    ...mended.map((line, at) => pad(at === 0 ? `→ ${line}` : `  ${line}`, indent)),
  ];
}

const pad = (line: string, by: number): string => " ".repeat(by) + line;
