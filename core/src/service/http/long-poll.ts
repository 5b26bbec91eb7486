import { parseDuration } from "../../base/config/duration.js";
import { requestFault } from "./problem.js";
import type { Parameter } from "./route.js";

/** Time to wait without the parameter, ms. */
const defaultWait = 30_000;

/** The parameter `timeout` of calls that wait. */
export const timeoutParameter: Parameter = {
  about: "Time to wait. Default: 30s.",
  pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$",
};

/** ms. @throws HoldstillError E_REQUEST */
export function timeoutOf({ timeout }: Readonly<Record<string, string>>): number {
  const limitMs = timeout === undefined ? defaultWait : parseDuration(timeout);
  if (limitMs === undefined) throw requestFault(400, `The timeout ${timeout} is not between 1ms and 24h.`);
  return limitMs;
}
