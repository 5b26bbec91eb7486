import { appendFileSync } from "node:fs";
import path from "node:path";
import type { AuditLine, SnapshotSet } from "../schema/types.js";
import type { StateDir } from "./state.js";

/** Writes down who did what, before it is done. Throws the file system's error when it cannot: then it must not be done. */
export function audit(
  { root }: StateDir,
  action: AuditLine["action"],
  { id, name }: Pick<SnapshotSet, "id" | "name">,
  detail?: string,
): void {
  const { SUDO_USER: sudoUser } = process.env;
  const line: AuditLine = {
    at: new Date().toISOString(),
    action,
    set: id,
    ...(name === undefined ? {} : { name }),
    uid: process.getuid?.() ?? 0,
    ...(sudoUser === undefined ? {} : { sudoUser }),
    pid: process.pid,
    ...(detail === undefined ? {} : { detail }),
  };
  appendFileSync(path.join(root, "audit.jsonl"), `${JSON.stringify(line)}\n`, { mode: 0o600 });
}
