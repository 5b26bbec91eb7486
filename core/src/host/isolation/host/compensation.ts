import type { ExecResult } from "../../../os/exec/options.js";
import type { Compensation, FreezeToken } from "../../../base/schema/types.js";
import { type Allowed, HostCommands } from "./commands.js";

/** The command that a freeze has left for a worker that is dead; null: none. */
export function compensationOf(token: FreezeToken | null): Compensation | null {
  if (typeof token !== "object" || token === null || Array.isArray(token)) return null;
  return token.compensation ?? null;
}

/** Runs it. What a thaw starts in the background, a service say, runs on. @throws HoldstillError E_EXEC_* */
export async function compensate(
  allowed: Allowed,
  { command, args = [] }: Compensation,
  limitMs: number,
): Promise<ExecResult> {
  const commands = new HostCommands(allowed);
  await commands.ready;
  return commands.run({ command, args, options: { leftovers: "leave" }, signal: AbortSignal.timeout(limitMs) });
}
