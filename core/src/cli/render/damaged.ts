import type { Damaged } from "../../store/catalog.js";
import { visible } from "../../base/display/visible.js";
import { stderrStyle, printError } from "../terminal/output.js";
import { findingLine } from "./fault.js";

/** Prints the records that cannot be read, and what is wrong with them, on stderr. */
export function printDamaged(damaged: readonly Damaged[]): void {
  for (const { file, findings } of visible(damaged))
    printError([
      `${stderrStyle().paint("yellow", "damaged record:")} ${file}`,
      ...findings.map((finding) => `  ${findingLine(finding)}`),
    ]);
}
