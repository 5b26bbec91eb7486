import type { Damaged } from "../../store/catalog.js";
import { visible } from "../../base/display/visible.js";
import { stderrStyle, printError } from "../terminal/output.js";
import { findingLine } from "./fault.js";

/** Names on stderr the records that could not be read, and what is wrong with them. */
export function printDamaged(damaged: readonly Damaged[]): void {
  for (const { file, findings } of visible(damaged))
    printError([
      `${stderrStyle().paint("yellow", "damaged record:")} ${file}`,
      ...findings.map((finding) => `  ${findingLine(finding)}`),
    ]);
}
