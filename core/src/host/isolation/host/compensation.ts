import type { ExecResult } from "../../../os/exec/options.js";
import { valueAt } from "../../../base/schema/pointer.js";
import type { Compensation, CompensationText, FreezeToken } from "../../../base/schema/types.js";
import { type Allowed, HostCommands } from "./commands.js";
import { redactor } from "./redact.js";

/** The compensation in the token of a freeze; null: it has none. */
export function compensationOf(token: FreezeToken | null): Compensation | null {
  if (typeof token !== "object" || token === null || Array.isArray(token)) return null;
  return token.compensation ?? null;
}

/**
 * Runs it. What it starts in the background, such as a service, keeps running. The output that is returned has nothing of what the
 * program gets by its environment or stdin.
 *
 * @param options Those of the instance, with their secrets.
 * @throws HoldstillError E_EXEC_*; Error if an option that it refers to is not a text.
 */
export async function compensate(
  allowed: Allowed,
  { command, args = [], env = {}, input }: Compensation,
  options: Readonly<Record<string, unknown>>,
  limitMs: number,
): Promise<ExecResult> {
  const given = Object.fromEntries(Object.entries(env).map(([name, text]) => [name, filledIn(text, options)]));
  const read = input === undefined ? "" : filledIn(input, options);
  const commands = new HostCommands(allowed);
  await commands.ready;
  const ran = await commands.run({
    command,
    args,
    options: { leftovers: "leave", env: given, input: read },
    signal: AbortSignal.timeout(limitMs),
  });
  return redactor([...Object.values(given), read])(ran);
}

function filledIn(text: CompensationText, options: Readonly<Record<string, unknown>>): string {
  if (typeof text === "string") return text;
  const value = valueAt(options, text.option);
  if (typeof value === "string") return value;
  throw new Error(`the option ${text.option} is not a text`);
}
