import nodePath from "node:path";
import { HoldstillError, isHoldstillError } from "../../base/errors/error.js";
import { isAbsence, pathUnsafe } from "./refusal.js";
import { kernel, type Syscalls } from "./syscalls.js";
import { walkTo } from "./walk.js";

/** Where programs of the system are. hier(7), and the order of sudo's secure_path. */
const systemFolders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/** What an administrator installed. They count only if root alone can write there: on some systems a group may. */
const localFolders = ["/usr/local/sbin", "/usr/local/bin"];

/** A PATH for programs that start others: absolute folders alone. */
export const systemPath = systemFolders.join(":");

/**
 * The absolute path of a program, from folders of the system that only root can change; PATH is not read. Neither the program nor
 * any folder above it may be writable for other users.
 *
 * @throws HoldstillError E_COMMAND_MISSING; E_PATH_UNSAFE where a system's folder has it, and another user can change it
 */
export function programAt(name: string, sys: Syscalls = kernel): string {
  if (name === "" || name.includes("/"))
    throw pathUnsafe(name, null, "it is not the name of a program", "Name it alone.");
  for (const folder of systemFolders) {
    const path = nodePath.join(folder, name);
    if (isProgramAt(path, sys)) return path;
  }
  for (const folder of localFolders) {
    const path = nodePath.join(folder, name);
    try {
      if (isProgramAt(path, sys)) return path;
    } catch (error) {
      if (!(isHoldstillError(error) && error.code === "E_PATH_UNSAFE")) throw error;
    }
  }
  throw new HoldstillError("E_COMMAND_MISSING", { command: name });
}

/** The same; null if it is not installed. @throws HoldstillError E_PATH_UNSAFE */
export function installedProgram(name: string, sys: Syscalls = kernel): string | null {
  try {
    return programAt(name, sys);
  } catch (error) {
    if (isHoldstillError(error) && error.code === "E_COMMAND_MISSING") return null;
    throw error;
  }
}

/** By the name that was asked for, also where it is a link: some programs act by the name that they are called by. */
function isProgramAt(path: string, sys: Syscalls): boolean {
  try {
    using file = walkTo(path, {}, sys);
    const { type, mode, uid } = file.status();
    if ((mode & 0o022) !== 0) throw pathUnsafe(path, uid, "other users may write to it", `chmod go-w ${path}`);
    return type === "file" && (mode & 0o111) !== 0;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}
