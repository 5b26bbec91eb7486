import type { Damaged } from "../catalog/catalog.js";
import { visible } from "../display/visible.js";
import { errLook, tell } from "./output.js";
import { findingLine } from "./render/fault.js";

/** Names on stderr the records that could not be read, and what is wrong with them. */
export function tellDamaged(damaged: readonly Damaged[]): void {
  for (const { file, findings } of visible(damaged))
    tell([
      `${errLook().paint("yellow", "damaged record:")} ${file}`,
      ...findings.map((finding) => `  ${findingLine(finding)}`),
    ]);
}
