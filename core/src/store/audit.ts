import path from "node:path";
import type { AuditLine, RequesterMark, SnapshotSet } from "../base/schema/types.js";
import { appendLine } from "./line-file.js";
import { type StateDir, asStateError } from "./state-directory.js";
import type { WriteGate } from "./write-gate.js";

/** `audit.jsonl`: which user did what to which set. */
export class Audit {
  readonly #state: StateDir;
  readonly #gate: WriteGate;

  constructor(state: StateDir, gate: WriteGate) {
    this.#state = state;
    this.#gate = gate;
  }

  /**
   * Writes an action down, on disk before it is done.
   *
   * @param requester On whose behalf, if the service acts; null: the user who runs this process.
   * @throws HoldstillError E_STATE_DIR: then the action must not be done.
   */
  note(
    requester: RequesterMark | null,
    action: AuditLine["action"],
    { id, name }: Pick<SnapshotSet, "id" | "name">,
    detail?: string,
  ): Promise<void> {
    const line: AuditLine = {
      at: new Date().toISOString(),
      action,
      set: id,
      ...(name === undefined ? {} : { name }),
      ...(requester === null ? self() : marked(requester)),
      ...(detail === undefined ? {} : { detail }),
    };
    return this.#gate.write(() =>
      asStateError(this.#state, () => appendLine(path.join(this.#state.root, "audit.jsonl"), JSON.stringify(line))),
    );
  }
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
