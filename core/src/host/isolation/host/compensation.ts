import type { ExecResult } from "../../../os/exec/options.js";
import type { Compensation, FreezeToken } from "../../../base/schema/types.js";
import { type Allowed, HostCommands } from "./commands.js";

/** The compensation in the token of a freeze; null: it has none. */
export function compensationOf(token: FreezeToken | null): Compensation | null {
  if (typeof token !== "object" || token === null || Array.isArray(token)) return null;
  return token.compensation ?? null;
}

/** Runs it. What it starts in the background, such as a service, keeps running. @throws HoldstillError E_EXEC_* */
export async function compensate(
  allowed: Allowed,
  { command, args = [] }: Compensation,
  limitMs: number,
): Promise<ExecResult> {
  const commands = new HostCommands(allowed);
  await commands.ready;
  return commands.run({ command, args, options: { leftovers: "leave" }, signal: AbortSignal.timeout(limitMs) });
}
