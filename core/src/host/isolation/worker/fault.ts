import { firstUnfit } from "../data.js";
import { LONGEST_LINE } from "../host/output.js";
import type { PluginFault } from "../wire.js";

/** What was thrown, as data. Anything can be thrown: a string, null, an error whose getters throw. */
export function toPluginFault(thrown: unknown, depth = 0): PluginFault {
  if (typeof thrown === "string") return { message: cut(thrown) };
  if (typeof thrown !== "object" || thrown === null) return { message: `${String(thrown)} was thrown` };
  try {
    const { message, code, hint, details, stack, cause } = thrown as Record<string, unknown>;
    return {
      message: typeof message === "string" && message !== "" ? cut(message) : nameOf(thrown),
      ...(typeof code === "string" && { code: cut(code) }),
      ...(typeof hint === "string" && { hint: cut(hint) }),
      ...(typeof stack === "string" && { stack: cut(stack) }),
      ...(details !== undefined && firstUnfit(details, LONGEST_LINE) === null && { details }),
      ...(cause !== undefined && depth < 5 && { cause: toPluginFault(cause, depth + 1) }),
    };
  } catch {
    return { message: "something was thrown that cannot be read" };
  }
}

function nameOf(thrown: object): string {
  return thrown instanceof Error ? `${thrown.name} without a message` : "an object that is not an error was thrown";
}

const cut = (text: string): string => text.slice(0, LONGEST_LINE);
