import { mkdirSync, statSync } from "node:fs";
import path from "node:path";

/**
 * Makes a folder with its parents. The recursive mkdir of Node.js 20 never returns where the file system has no place for a folder,
 * such as below /proc/1.
 *
 * @throws the file system's error
 */
export function makeFolders(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(folder).isDirectory()) return;
    const parent = path.dirname(folder);
    if (code !== "ENOENT" || parent === folder) throw error;
    makeFolders(parent, mode);
    // The parent is there now. If it still cannot be made, that is the error.
    makeInside(folder, mode);
  }
}

function makeInside(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
