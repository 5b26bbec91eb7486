import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";

/** Those of the commands that no folder of the path has as a program. */
export async function missingPrograms(commands: readonly string[], folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(commands.map((command) => findProgram(command, folders)));
  return commands.filter((_, index) => found[index] === undefined);
}

/** Absolute path of a program; undefined if no folder has it. */
export async function findProgram(command: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const file = path.join(folder, command);
    if (await isProgram(file)) return file;
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
