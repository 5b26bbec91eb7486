import { lstat, readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { Who } from "../../base/errors/details.js";
import { HoldstillError } from "../../base/errors/error.js";
import { valueAt } from "../../base/schema/pointer.js";
import { trustedUser, type TrustedUser } from "../../base/trust/ownership.js";
import { pathProblems } from "../trust/access-list.js";

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
    const problem = await programProblem(who, named, us);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

/** Why this program, or those in this folder, cannot be run; undefined: they can. */
export async function programProblem(who: Who, command: string, us: TrustedUser): Promise<HoldstillError | undefined> {
  try {
    const [own, ...inside] = await withContent(command);
    const problems = [
      await pathProblems(own, us),
      ...(await Promise.all(inside.map(async (file) => ((await leadsNowhere(file)) ? [] : pathProblems(file, us))))),
    ];
    const found = [...new Map(problems.flat().map((one) => [one.problem, one])).values()];
    return found.length === 0 ? undefined : new HoldstillError("E_EXEC_UNTRUSTED", { who, command, problems: found });
  } catch (cause) {
    return new HoldstillError("E_EXEC_MISSING", { who, command }, { cause });
  }
}

/** A link without a target is not a program. If a target appears, it is examined before it runs, as each program is. */
async function leadsNowhere(file: string): Promise<boolean> {
  const isLink = (await lstat(file)).isSymbolicLink();
  return isLink && (await stat(file).catch(({ code }: NodeJS.ErrnoException) => code)) === "ENOENT";
}

/** A folder and its entries, or the file alone. */
async function withContent(file: string): Promise<[own: string, ...inside: string[]]> {
  const names = await readdir(file).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOTDIR") return [];
    throw error;
  });
  return [file, ...names.toSorted().map((name) => path.join(file, name))];
}
