import { locate } from "#core/plan/locate.js";
import type { FileSystemVolume } from "holdstill/plugin";

/** The mounted file systems that these paths lie on. */
export function fileSystemsOf(paths: readonly string[], exclude: readonly string[] = []): FileSystemVolume[] {
  return locate([{ paths, exclude }]).volumes.filter((volume) => volume.kind !== "block");
}
