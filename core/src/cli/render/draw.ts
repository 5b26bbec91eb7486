import { writeFileSync } from "node:fs";
import { UsageError } from "../parse/usage-error.js";
import { drawing, type DrawingSubject } from "./drawing.js";
import { drawingPage } from "./drawing-page.js";
import { visible } from "../../base/display/visible.js";

/** By the ending of the file name. */
const forms = { ".svg": drawing, ".html": drawingPage } as const;

/** Draws a timeline into a file, in the format of its ending. @throws UsageError for another ending, and if it cannot be written. */
export function draw(file: string, subject: DrawingSubject): void {
  const form = Object.entries(forms).find(([end]) => file.endsWith(end));
  if (form === undefined)
    throw new UsageError(`\`${file}\` does not end with .svg or .html.`, "Name a file with one of these endings.");
  try {
    writeFileSync(file, form[1](visible(subject)));
  } catch (error) {
    throw new UsageError(
      `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      "Name another file.",
    );
  }
}
