import type {
  Candidate,
  Fault,
  FileChange,
  Finding,
  PluginIdentity,
  Residue,
  TrustProblem,
  VolumeOwner,
} from "../schema/types.js";

/** What errors carry has the types of the schemas. These are passed on, because each error of a plugin needs them. */
export type { Candidate, FileChange, TrustProblem } from "../schema/types.js";

/** The plugin instance that an error, a call, or a record is about; `who` in JSON. */
export type Who = PluginIdentity;

/** What each error carries. The message is made from it, so a person and a program get the same facts. */
export interface Details {
  E_USAGE: { problem: string; hint: string };
  E_CONFIG_NOT_FOUND: { file: string };
  E_CONFIG_UNREADABLE: { file: string; reason: string };
  E_CONFIG_UNTRUSTED: { file: string; problems: TrustProblem[] };
  E_CONFIG_INVALID: { findings: Finding[] };

  E_MANIFEST_INVALID: { findings: Finding[] };
  E_PLUGIN_UNRESOLVED: { use?: string; instance: string; candidates: Candidate[]; nearest?: string };
  E_PLUGIN_UNTRUSTED: { dir: string; problems: TrustProblem[] };
  /** `expected` is null if the lock file does not list the plugin. */
  E_PLUGIN_LOCKED: { name: string; version: string; expected: string | null; seen: string; changes: FileChange[] };
  E_PLUGIN_UNPINNED: { file: string | null };
  E_PLUGINS_REFUSED: { problems: Fault[] };

  E_PLUGIN_LOAD: { who: Who; reason: string };
  E_PLUGIN_FAILED: { who: Who; op: string; reason: string; pluginCode?: string; pluginHint?: string; stack?: string };
  E_PLUGIN_DIED: { who: Who; op: string; reason: string; isolation: "thread" | "process" };
  E_DEADLINE: { who: Who; op: string; limitMs: number; worker: number };
  E_CANCELLED: { who: Who; op: string };
  E_ANSWER_INVALID: { who: Who; op: string; findings: Finding[] };
  E_ANSWER_UNCLONEABLE: { who: Who; op: string; reason: string };
  E_UNREACHABLE: { who: Who; op: string; reason: string; pluginHint?: string };
  E_VOLUME_REFUSED: { who: Who; volume: string; reason: string; pluginCode: string; pluginHint?: string };
  E_NOT_MOUNTED: { set: string; mountPoints: string[] };
  E_FROZEN: { volume: string; cause: { type: "suspended"; device: string } | { type: "frozen" } };
  E_NOT_ADOPTABLE: { set: string; snapshot: string; provider: string };
  E_NOT_OFFERED: { who: Who; op: string };
  E_EXEC_DENIED: { who: Who; command: string; allowed: string[] };
  E_EXEC_MISSING: { who: Who; command: string };
  E_EXEC_UNTRUSTED: { who: Who; command: string; problems: TrustProblem[] };

  E_TARGET_UNREADABLE: { target: string; reason: string; remedy?: string };
  E_TARGET_UNKNOWN: { target: string; known: string[]; nearest?: string };
  /** `failed`: why providers could not be asked. */
  E_NO_PROVIDER: { volume: string; paths: string[]; asked: string[]; failed: Fault[] };
  E_WRITERS_SHARE: { path: string; writers: [string, string] };
  E_HOLD_REFUSED: { refusals: { target: string; reason: string; remedy: string }[] };
  E_HOLD_BUSY: { target: string };
  /** `where` is the hold target or the operation. */
  E_HOLD_FAILED: { where: string; reason: string };
  E_HOLD_LATE: { targets: string[]; limitMs: number };
  E_HOLD_LAPSED: { targets: string[]; reason: string };
  E_KEEPER: { reason: string };
  E_PLAN_INCONSISTENT: {
    writer: string;
    component: string;
    tolerates: string;
    cut: string;
    provider: string;
    remedy?: string;
  };
  E_PLAN_SPACE: { provider: string; pool?: string; volumes: string[]; neededBytes: number; freeBytes: number };
  E_PLAN_SNAPSHOTS: { provider: string; pool?: string; volumes: string[]; limit: number; used: number };
  E_PLAN_BELOW: { asked: string; promised: string; reason: string };
  E_VOLUME_BUSY: { volume: string; owner: VolumeOwner; waitedMs: number };
  E_FREEZE_LOST: { who: Who; reason: string };
  E_REPAIR_FAILED: { who: Who; reason: string };
  E_INTERRUPTED: { signal: string };
  E_OPEN_FILES: { reason: string };
  E_BUG: { message: string };
  E_RESIDUE: { transaction: string; residue: Residue[] };

  E_CLUSTER_UNREACHABLE: { endpoints: readonly string[]; reason: string };
  /** `name` is that in the certificate; `key` is what it may not read or write. */
  E_CLUSTER_DENIED: { name: string; key: string; reason: string };
  /** A host withdrew from the set. */
  E_CLUSTER_HOST: { host: string; reason: string };
  E_CLUSTER_LATE: { step: "armed" | "frozen" | "taken" | "sealed"; hosts: readonly string[]; limitMs: number };
  E_CLUSTER_ABORTED: { reason: string };
  /** This host does not take part in a set that another one asked for. */
  E_CLUSTER_REFUSED: { problem: string; hint: string };
  E_CLUSTER_DOUBT: { set: string; key: string };

  E_STATE_DIR: { path: string; problem: string };
  E_SET_UNKNOWN: { set: string; nearest?: string };
  E_SET_BUSY: { set: string };
  E_SET_AMBIGUOUS: { set: string; matches: string[] };
  /** `set` is what was asked for, `id` the set that it would be, and `owner` the id of the user who took it. */
  E_SET_FOREIGN: { set: string; id: string; owner: number };
  /** The sets whose times are in doubt. */
  E_CLOCK: { sets: { id: string; createdAt: string; problem: string }[] };
  E_SET_EXPOSED: { set: string };
  E_COMMAND_LEFT: { command: string; left: readonly { pid: number; program: string }[] };
  E_SPACE_LOW: { set: string; snapshot: string; where: string; percent: number };
  /** `volume` is what a person calls it; `provider` the instance. */
  E_NO_DIFF: { volume: string; provider: string; set: string };
  E_SET_EXISTS: { set: string };
  E_NOT_EXPORTABLE: { set: string; volume: string; reason: string };
  E_EXPORT_FAILED: { set: string; reason: string };
  /** `file` is the export; `-` is standard input. */
  E_EXPORT_DAMAGED: { file: string; reason: string };
  /** `asked` are the providers that cannot take contents. */
  E_NO_RECEIVER: { set: string; asked: string[] };
  E_SNAPSHOT_CREATING: { set: string; snapshot: string };
  E_SNAPSHOT_LOST: { set: string; snapshot: string; reason: string };
  E_RESTORE: { path: string; reason: string; remedy: string };
  E_SET_RETAINED: { set: string; until: string };
  E_LEASE_FD: { fd: number; problem: string };
  E_RECORD_DAMAGED: { file: string; findings: Finding[] };
  E_JOURNAL_DAMAGED: { id: string; file: string; findings: Finding[] };
  E_TOO_NEW: { file: string; findings: Finding[] };
  E_NEEDS_YES: { will: string[] };
  /** `platform` is Node's, such as linux-x64. */
  E_NATIVE_MISSING: { platform: string; reason: string };
  E_COMMAND_MISSING: { command: string };
  /** `owner` is the user id of what is at the path; null if it is not known. */
  E_PATH_UNSAFE: { path: string; owner: number | null; reason: string; remedy: string };
  /** `shows` is the command that shows the cause. */
  E_PATH_FAILED: { path: string; action: string; reason: string; errno: string; shows: string };
  E_MIRROR: { reason: string };
  E_MIRROR_BUSY: { at: string; reason: string };

  /** `status` is the HTTP status; `findings` are the errors in a body. */
  E_REQUEST: { problem: string; hint: string; status: number; findings?: Finding[] };
  E_FORBIDDEN: { uid: number; what: string; right: string };
  E_OPERATION_UNKNOWN: { operation: string };
  E_KEY_REUSED: { key: string; operation: string };
  E_UNAVAILABLE: { reason: string };
  E_SERVICE_RUNNING: { socket: string; pid: number };
  E_SERVICE_DIED: { operation: string };
  E_SERVICE_LOST: { socket: string; reason: string };
  E_SOCKET: { path: string; problem: string; remedy: string };
}

export type Code = keyof Details;
