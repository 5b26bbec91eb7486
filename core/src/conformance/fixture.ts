import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseText } from "../base/config/document.js";
import type { Finding, Fixture } from "../base/schema/types.js";
import { validate } from "../base/schema/validate.js";

export type ReadFixture = { ok: true; fixture: Fixture } | { ok: false; findings: Finding[] };

/** conformance.json in a plugin's folder, or the file that is named. A plugin that needs nothing does not have it. */
export async function readFixture(dir: string, named?: string): Promise<ReadFixture> {
  const file = named ?? path.join(dir, "conformance.json");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === "ENOENT") return { ok: true, fixture: {} };
    const finding = { file, pointer: "", seen: (error as Error).message, expected: "a file that can be read" };
    return { ok: false, findings: [finding] };
  }
  const { value, findings, lineOf } = parseText(file, text);
  if (value === undefined || findings.length > 0) return { ok: false, findings };
  const checked = validate("conformance-fixture", value, { file, lineOf });
  return checked.ok ? { ok: true, fixture: checked.value } : checked;
}

/** The properties that are commands. */
const COMMANDS: ReadonlySet<string> = new Set<keyof Fixture>([
  "setup",
  "teardown",
  "probe",
  "loseFreeze",
  "state",
  "takeAway",
  "giveBack",
]);

/** The sets of options that a plugin is tested with: the first is `options` alone. */
export function optionSets({ options = {}, variants = [] }: Fixture): Record<string, unknown>[] {
  return [options, ...variants.map((variant) => ({ ...options, ...variant }))];
}

/** The fixture with $WORK and $PLUGIN replaced, except in the commands: there the shell does it. */
export function filledIn(fixture: Fixture, variables: Readonly<Record<string, string>>): Fixture {
  const fill = (value: unknown): unknown => {
    if (typeof value === "string")
      return value.replaceAll(/\$(WORK|PLUGIN)\b/g, (_, name: string) => variables[name] ?? "");
    if (Array.isArray(value)) return value.map((item: unknown) => fill(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
  };
  const commands = Object.fromEntries(Object.entries(fixture).filter(([name]) => COMMANDS.has(name)));
  return { ...(fill(fixture) as Fixture), ...commands };
}
