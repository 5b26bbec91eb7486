import { statSync } from "node:fs";
import path from "node:path";
import { installation } from "../installation.js";

/** Whether the files of this process were replaced or removed since it called `watchOwnFiles`. */
export type AreReplaced = () => boolean;

export function watchOwnFiles(file = path.join(installation.modules, "cli/main.js")): AreReplaced {
  const now = (): string => {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? "" : `${stat.dev} ${stat.ino} ${stat.mtimeMs}`;
  };
  const atStart = now();
  return () => now() !== atStart;
}
