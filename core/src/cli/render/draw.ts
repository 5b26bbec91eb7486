import { writeFileSync } from "node:fs";
import { UsageError } from "../parse/usage-error.js";
import { drawing, page, type DrawingSubject } from "./drawing.js";
import { visible } from "../../base/display/visible.js";

/** What a file that is drawn to may end with. */
const forms = { ".svg": drawing, ".html": page } as const;

/** Draws a timeline into a file, in the form that its name asks for. @throws Misuse for any other name, and where it cannot be written. */
export function draw(file: string, subject: DrawingSubject): void {
  const form = Object.entries(forms).find(([end]) => file.endsWith(end));
  if (form === undefined)
    throw new UsageError(`\`${file}\` ends neither with .svg nor with .html.`, "Name such a file.");
  try {
    writeFileSync(file, form[1](visible(subject)));
  } catch (error) {
    throw new UsageError(
      `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      "Name another file.",
    );
  }
}
