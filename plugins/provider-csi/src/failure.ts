import { codeOf } from "#kit/plugin-error.js";
import { type ErrorCode, PluginError } from "./errors.js";

/** What is known of an RPC that failed. The numbers are those of gRPC (google/rpc/code.proto). */
export interface Failure {
  readonly code: number;
  readonly details: string;
}

interface Meaning {
  readonly status: string;
  readonly code: ErrorCode;
  readonly hint: string;
}

const log = "The log of the driver has more.";
const bug = "This may be a fault of the driver. Its log has more.";

/** What each status means here, by its number. */
const meanings: ReadonlyMap<number, Meaning> = new Map([
  [1, { status: "CANCELLED", code: "INTERRUPTED", hint: "The call was ended. Run the command again." }],
  [3, { status: "INVALID_ARGUMENT", code: "REFUSED", hint: "Check the options, parameters and volume ids." }],
  [
    4,
    {
      status: "DEADLINE_EXCEEDED",
      code: "TIMED_OUT",
      hint: "If the driver needs more time, raise the limit of this phase in the config.",
    },
  ],
  [
    5,
    {
      status: "NOT_FOUND",
      code: "NOT_FOUND",
      hint: "Check the volume id in the option `volumes`, and the log of the driver.",
    },
  ],
  [
    6,
    {
      status: "ALREADY_EXISTS",
      code: "NAME_TAKEN",
      hint: "Another program has used the same name. Run the command again.",
    },
  ],
  [
    7,
    {
      status: "PERMISSION_DENIED",
      code: "DENIED",
      hint: "Check the option `secrets`, and the rights of that account.",
    },
  ],
  [8, { status: "RESOURCE_EXHAUSTED", code: "NO_SPACE", hint: "Free some space on the storage, or remove snapshots." }],
  [
    9,
    {
      status: "FAILED_PRECONDITION",
      code: "REFUSED",
      hint: "The storage does not allow this now, for example because a volume is in use. The log of the driver has more.",
    },
  ],
  [
    10,
    {
      status: "ABORTED",
      code: "PENDING",
      hint: "The driver is still busy with an earlier request. Run the command again later.",
    },
  ],
  [11, { status: "OUT_OF_RANGE", code: "REFUSED", hint: log }],
  [12, { status: "UNIMPLEMENTED", code: "UNSUPPORTED", hint: "The driver does not have this function." }],
  [13, { status: "INTERNAL", code: "DRIVER_FAILED", hint: log }],
  [
    14,
    {
      status: "UNAVAILABLE",
      code: "UNREACHABLE",
      hint: "Start the driver, or correct the option `socket`. Nothing is known of its snapshots until then.",
    },
  ],
  [16, { status: "UNAUTHENTICATED", code: "DENIED", hint: "Check the option `secrets`." }],
]);

/** The error of an RPC that failed, with the next step. */
export function failureOf(method: string, { code, details }: Failure, socket: string): PluginError {
  const known = meanings.get(code);
  const status = known?.status ?? `status ${code}`;
  const said = details === "" ? "" : `: ${details}`;
  const message =
    known?.code === "UNREACHABLE"
      ? `The CSI driver at ${socket} cannot be reached for ${method}${said}`
      : `${method} of the CSI driver at ${socket} failed with ${status}${said}`;
  return new PluginError(known?.code ?? "DRIVER_FAILED", message, known?.hint ?? log, { details: { method, status } });
}

/** An answer that the specification does not allow. */
export function nonsense(method: string, what: string): PluginError {
  return new PluginError("DRIVER_FAILED", `${method} succeeded, but ${what}.`, bug);
}

/** Codes of a refusal. It comes before the work. */
const refusals: ReadonlySet<string> = new Set<ErrorCode>([
  "DENIED",
  "NAME_TAKEN",
  "NOT_FOUND",
  "NO_SPACE",
  "REFUSED",
  "UNSUPPORTED",
]);

/** Whether after an error the driver may have done what it was asked for, or may still do it. */
export function leavesOpen(error: unknown): boolean {
  return !refusals.has(codeOf(error) ?? "");
}

/** Codes of a refusal that the same request meets each time. */
const constant: ReadonlySet<string> = new Set<ErrorCode>(["REFUSED", "UNSUPPORTED"]);

/**
 * Makes a request again whose result is not known. As it is idempotent by its name, the driver returns what the first one made.
 *
 * @returns null if the driver does not allow such a request, so that the first one made nothing.
 * @throws PluginError for any other refusal, which proves nothing: the storage may be full now, and the secrets may be others.
 */
export async function again<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (constant.has(codeOf(error) ?? "")) return null;
    throw error;
  }
}
