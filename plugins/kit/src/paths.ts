import path from "node:path";
import type { FileSystemVolume } from "holdstill/plugin";

/** A captured path as the file system itself would call it. */
export function innerPath(
  captured: string,
  { mountPoint, root }: Pick<FileSystemVolume, "mountPoint" | "root">,
): string {
  return path.join("/", root, path.relative(mountPoint, captured));
}

/** Whether the path is the folder or is below it. Both absolute and normalized. */
export function isWithin(file: string, folder: string): boolean {
  return file === folder || file.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
