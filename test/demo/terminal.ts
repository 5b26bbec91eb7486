/**
 * Draws what was recorded of a terminal as a snapshot: `node test/dist/demo/terminal.js <TRANSCRIPT >PICTURE.svg`. Lines with a `$`
 * are what was typed. Nothing is added, and what the programs themselves paint is painted.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const size = { line: 17, character: 7.83, margin: 14 };
const ground = "#1a202c";
const plain = "#e2e8f0";

/** A line by how it begins, as core/src/cli paints it on a terminal. */
const colours: readonly (readonly [RegExp, string])[] = [
  [/^\$ /, "#63b3ed"],
  [/^✓/, "#68d391"],
  [/^!/, "#f6e05e"],
  [/^✗/, "#fc8181"],
  [/^ +→/, "#90cdf4"],
  [/^#/, "#a0aec0"],
];

export function picture(transcript: string): string {
  const lines = transcript.trimEnd().split("\n");
  const columns = Math.max(80, ...lines.map((line) => line.length));
  const width = Math.ceil(columns * size.character + 2 * size.margin);
  const height = lines.length * size.line + 2 * size.margin;
  const texts = lines.map((line, at) => {
    const colour = colours.find(([begin]) => begin.test(line))?.[1] ?? plain;
    const y = size.margin + at * size.line + 12;
    return line === "" ? "" : `<text x="${size.margin}" y="${y}" fill="${colour}">${escape(line)}</text>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace, 'DejaVu Sans Mono', monospace" font-size="13">
<rect width="100%" height="100%" rx="6" fill="${ground}"/>
${texts.join("")}</svg>
`;
}

/** Blanks that a viewer does not run together. */
const escape = (text: string): string =>
  text.replaceAll(/[&<>]/g, (sign) => `&#${sign.codePointAt(0)};`).replaceAll(" ", "\u00A0");

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  process.stdout.write(picture(readFileSync(0, "utf8")));
