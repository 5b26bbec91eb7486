import { open } from "node:fs/promises";
import path from "node:path";
import type { Who } from "../../base/errors/details.js";
import { HoldstillError } from "../../base/errors/error.js";
import { trustedUser } from "../../base/trust/ownership.js";
import { findProgram } from "../../os/exec/program.js";
import { programProblem } from "./programs.js";

/** The kernel reads no more of the first line: BINPRM_BUF_SIZE of linux/binfmts.h. */
const LONGEST_LINE = 256;

/**
 * Why the interpreter of a script cannot be run: it is missing, or another user can change it. A program without `#!` has none.
 *
 * @param folders Where `#!/usr/bin/env NAME` finds it.
 */
export async function interpreterProblems(
  who: Who,
  script: string,
  folders: readonly string[],
): Promise<HoldstillError[]> {
  const [interpreter, ...args] = await interpreterLine(script);
  if (interpreter === undefined) return [];
  const us = await trustedUser();
  const problem = await programProblem(who, interpreter, us);
  if (problem !== undefined) return [problem];
  const name = path.basename(interpreter) === "env" ? args.find((arg) => !/^-|=/.test(arg)) : undefined;
  if (name === undefined) return [];
  const found = findProgram(name, folders);
  if (found === undefined) return [new HoldstillError("E_EXEC_MISSING", { who, command: name })];
  return [(await programProblem(who, found, us)) ?? []].flat();
}

/** The words after `#!`. */
async function interpreterLine(script: string): Promise<string[]> {
  const file = await open(script).catch(() => null);
  // A program that may be executed, and not read, is not a script.
  if (file === null) return [];
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_LINE), 0, LONGEST_LINE, 0);
    const [line = ""] = buffer.toString("latin1", 0, bytesRead).split("\n");
    return line.startsWith("#!") ? line.slice(2).trim().split(/\s+/) : [];
  } finally {
    await file.close();
  }
}
