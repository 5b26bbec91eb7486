import { toFault } from "../../base/errors/error.js";
import type { DoctorCheck, Fault, Finding } from "../../base/schema/types.js";

export const good = (about: DoctorCheck["about"], found: string): DoctorCheck => ({ about, state: "good", found });

export const fault = (about: DoctorCheck["about"], error: unknown): DoctorCheck => faultCheck(about, toFault(error));

export function faultCheck(about: DoctorCheck["about"], { message, hint, details }: Fault): DoctorCheck {
  const { findings } = (details ?? {}) as { findings?: Finding[] };
  const means = findings?.map(
    ({ file, line, seen, expected }) => `${file}:${line ?? 1}: ${seen}, expected ${expected}`,
  );
  return {
    about,
    state: "bad",
    found: message,
    ...(means === undefined ? {} : { means: means.join("; ") }),
    ...(hint === undefined ? {} : { remedy: hint }),
  };
}
