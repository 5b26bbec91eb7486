import { catalogue } from "../../base/errors/catalogue.js";
import { asHoldstillError, HoldstillError, type Code, type Details } from "../../base/errors/error.js";
import { exit } from "../../base/errors/exit.js";
import type { Fault, Problem } from "../../base/schema/types.js";

const statuses: { readonly [C in Code]?: number } = {
  E_USAGE: 400,
  E_FORBIDDEN: 403,
  E_SET_UNKNOWN: 404,
  E_OPERATION_UNKNOWN: 404,
  E_TARGET_UNKNOWN: 422,
  E_KEY_REUSED: 422,
  E_SET_AMBIGUOUS: 409,
  E_SET_FOREIGN: 409,
  E_SET_BUSY: 409,
  E_SET_EXPOSED: 409,
  E_SET_RETAINED: 409,
  E_VOLUME_BUSY: 409,
  E_UNAVAILABLE: 503,
  E_DEADLINE: 504,
};

/** An error as RFC 9457 defines it. A refused plan is an error of the request; most other errors are of the service. */
export function problemOf(thrown: unknown): Problem {
  const error = asHoldstillError(thrown);
  const { code, message: title, hint, details } = error;
  return { type: `urn:holdstill:error:${code}`, title, status: statusOf(error), code, hint, details: { ...details } };
}

function statusOf(error: HoldstillError): number {
  if (isRequestFault(error)) return error.details.status;
  return statuses[error.code] ?? (error.exitCode === exit.refused ? 422 : 500);
}

const isRequestFault = (error: HoldstillError): error is HoldstillError<"E_REQUEST"> => error.code === "E_REQUEST";

/** The error that became this data; null: this version does not have it. */
export function knownError({ code, details }: Pick<Fault, "code" | "details">): HoldstillError | null {
  if (!Object.hasOwn(catalogue, code)) return null;
  return new HoldstillError(code as Code, details as unknown as Details[Code]);
}

/** The same, for an error of this process. */
export const errorOfFault = (fault: Fault): Error => knownError(fault) ?? new Error(fault.message);

/** An error before the call is known. */
export function requestFault(status: number, problem: string): HoldstillError<"E_REQUEST"> {
  return new HoldstillError("E_REQUEST", { status, problem, hint: hints[status] ?? fallback });
}

const fallback = "GET /v1/openapi.json describes every call.";
const hints: Readonly<Record<number, string>> = {
  408: "Send the whole request at once.",
  413: "Send a smaller request.",
  415: "Send application/json.",
  431: "Send fewer and shorter headers.",
};
