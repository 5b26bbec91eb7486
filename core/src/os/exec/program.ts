import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";

/** Whether a command can be started, by the rules of execvp(3): a name with a slash is a path, any other is looked up on PATH. */
export function isProgram(command: string, searchPath = process.env["PATH"] ?? ""): boolean {
  if (command.includes("/")) return isExecutable(command);
  const folders = searchPath.split(":").map((folder) => (folder === "" ? "." : folder));
  return findProgram(command, folders) !== undefined;
}

/** The path of a program in the first folder that has it; undefined if none has. */
export function findProgram(command: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => path.join(folder, command)).find(isExecutable);
}

/** The commands that are a program in none of the folders. */
export function missingPrograms(commands: readonly string[], folders: readonly string[]): string[] {
  return commands.filter((command) => findProgram(command, folders) === undefined);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
