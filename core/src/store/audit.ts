import path from "node:path";
import type { AuditLine, RequesterMark, SnapshotSet } from "../base/schema/types.js";
import { appendLine } from "./line-file.js";
import { type StateDir, asStateError } from "./state-directory.js";

/** Where it is written down, and on whose behalf: a requester of the service; null: whoever runs this process. */
export interface AuditContext {
  readonly state: StateDir;
  readonly requester: RequesterMark | null;
}

/** Writes down who did what, on disk before it is done. @throws HoldstillError E_STATE_DIR: then it must not be done. */
export function audit(
  { state, requester }: AuditContext,
  action: AuditLine["action"],
  { id, name }: Pick<SnapshotSet, "id" | "name">,
  detail?: string,
): void {
  const line: AuditLine = {
    at: new Date().toISOString(),
    action,
    set: id,
    ...(name === undefined ? {} : { name }),
    ...(requester === null ? self() : marked(requester)),
    ...(detail === undefined ? {} : { detail }),
  };
  asStateError(state, () => appendLine(path.join(state.root, "audit.jsonl"), JSON.stringify(line)));
}

function self(): Pick<AuditLine, "uid" | "sudoUser" | "pid"> {
  const { SUDO_USER: sudoUser } = process.env;
  return {
    uid: process.getuid?.() ?? 0,
    ...(sudoUser === undefined ? {} : { sudoUser }),
    pid: process.pid,
  };
}

function marked({ uid, pid, executable }: RequesterMark): Pick<AuditLine, "uid" | "pid" | "executable"> {
  return { uid, pid, ...(executable === undefined ? {} : { executable }) };
}
