import { createInterface } from "node:readline";
import { HoldstillError } from "../../base/errors/error.js";
import type { CommandCall } from "../parse/command.js";
import { drained } from "./output-queue.js";
import { printError } from "./output.js";

/**
 * Prints what will be done, and asks on a terminal. @returns false: the answer was no.
 * @throws HoldstillError E_NEEDS_YES without a terminal.
 */
export async function isConfirmed(
  will: readonly string[],
  yes: boolean,
  { form, quiet }: CommandCall,
): Promise<boolean> {
  if (yes) {
    if (form === "text" && !quiet) printError(will.map((line) => `holdstill: ${line}`));
    return true;
  }
  if (form !== "text" || !process.stdin.isTTY || !process.stderr.isTTY)
    throw new HoldstillError("E_NEEDS_YES", { will: [...will] });
  printError(["This will:", ...will.map((line) => `  ${line}`)]);
  await drained();
  const agreed = await ask("Continue? [y/N] ");
  if (!agreed) printError(["Nothing was changed."]);
  return agreed;
}

/** Ctrl-C and the end of input mean no. */
function ask(question: string): Promise<boolean> {
  return new Promise((resolve) => {
    const readline = createInterface({ input: process.stdin, output: process.stderr });
    let isAnswered = false;
    readline.once("close", () => {
      if (!isAnswered) printError([""]);
      resolve(false);
    });
    readline.question(question, (answer) => {
      isAnswered = true;
      resolve(/^y(es)?$/i.test(answer.trim()));
      readline.close();
    });
  });
}
