import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Who } from "../../base/errors/details.js";
import { HoldstillError } from "../../base/errors/error.js";
import { valueAt } from "../../base/schema/pointer.js";
import { trustedUser, ownershipProblemsOfPath, type TrustedUser } from "../../base/trust/ownership.js";

/** Why programs that the options name cannot be run. `pointers` are JSON pointers to these options. */
export async function programProblems(
  who: Who,
  pointers: readonly string[],
  options: Record<string, unknown>,
): Promise<HoldstillError[]> {
  if (pointers.length === 0) return [];
  const us = await trustedUser();
  const problems: HoldstillError[] = [];
  for (const pointer of pointers) {
    const named = valueAt(options, pointer);
    if (typeof named !== "string" || !path.isAbsolute(named)) continue;
    const problem = await problemOf(who, named, us);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

async function problemOf(who: Who, command: string, us: TrustedUser): Promise<HoldstillError | undefined> {
  try {
    const problems = await Promise.all((await withContent(command)).map((file) => ownershipProblemsOfPath(file, us)));
    const found = [...new Map(problems.flat().map((one) => [one.problem, one])).values()];
    return found.length === 0 ? undefined : new HoldstillError("E_EXEC_UNTRUSTED", { who, command, problems: found });
  } catch (cause) {
    return new HoldstillError("E_EXEC_MISSING", { who, command }, { cause });
  }
}

/** A folder and its entries, or the file alone. */
async function withContent(file: string): Promise<string[]> {
  const names = await readdir(file).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOTDIR") return [];
    throw error;
  });
  return [file, ...names.toSorted().map((name) => path.join(file, name))];
}
