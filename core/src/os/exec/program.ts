import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";

/** Whether a command can be started, by the rules of execvp(3): a name with a slash is a path, any other is looked up on PATH. */
export function isProgram(command: string, searchPath = process.env["PATH"] ?? ""): boolean {
  if (command.includes("/")) return isExecutable(command);
  return searchPath.split(":").some((folder) => isExecutable(path.join(folder === "" ? "." : folder, command)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
