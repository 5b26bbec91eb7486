import { parseDuration } from "../../base/config/duration.js";
import { requestFault } from "./problem.js";
import type { Parameter } from "./route.js";

/** How long one waits if one does not say, ms. */
const defaultWait = 30_000;

/** The parameter `timeout` of calls that wait. */
export const waitFor: Parameter = {
  about: "How long to wait: 30s if not said.",
  pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$",
};

/** ms. @throws HoldstillError E_REQUEST */
export function waitIn({ timeout }: Readonly<Record<string, string>>): number {
  const limitMs = timeout === undefined ? defaultWait : parseDuration(timeout);
  if (limitMs === undefined) throw requestFault(400, `The timeout ${timeout} is not between 1ms and 24h.`);
  return limitMs;
}
