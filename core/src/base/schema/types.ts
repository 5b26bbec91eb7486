// Generated from schemas/ by `npm run generate`. Do not edit: change the schema.

export type SetId = string;
/**
 * atomic: all volumes at one instant. per-volume: each volume at a different instant. fuzzy: copied file by file.
 */
export type Cut = "atomic" | "per-volume" | "fuzzy";
export type HoldTarget =
  | {
      kind: "dm";
      name: DmName;
    }
  | {
      kind: "fs";
      mount: string;
    };
/**
 * Name of a device-mapper device, without /dev/mapper/.
 */
export type DmName = string;
/**
 * application: the application was frozen throughout, or its redo log makes the copy whole. filesystem: the file systems were held, without a writer. crash: of one instant, nothing was flushed. none: files of different moments.
 */
export type Consistency = "application" | "filesystem" | "crash" | "none";
/**
 * What a process left that died.
 */
export type Leftover = DeadTransaction | StraySnapshot | StrayExposure | ExpiredSet;
export type Digest = string;
/**
 * What came of one check. `title` says what is right; `runtime` is not there where no worker was needed.
 */
export type CheckResult =
  | {
      status: "passed";
      name: CheckName;
      group: string;
      title: string;
      runtime?: Runtime;
      ms: number;
    }
  | {
      status: "failed";
      name: CheckName;
      group: string;
      title: string;
      runtime?: Runtime;
      ms: number;
      seen: string;
      /**
       * What to do.
       */
      next: string;
    }
  | {
      status: "skipped";
      name: CheckName;
      group: string;
      title: string;
      runtime?: Runtime;
      reason: string;
    };
export type CheckName = string;
export type Runtime = "thread" | "process";
/**
 * A writer's metadata: what the application owns, where it lies, and what kind of snapshot it tolerates. The answer of identify.
 *
 * @minItems 1
 */
export type Components = Component[];
/**
 * "250ms", "3s", "10m", "1h", or milliseconds.
 */
export type Duration = string | number;
/**
 * Items: user:NAME or group:NAME; a number in place of the name will do.
 */
export type Principals = string[];
/**
 * A provider's answer to match: null is "not mine".
 */
export type Support = null | Qualities;
/**
 * One step of the commit, done while everything is held. All but two are single kernel calls that the keeper makes, in the order given; devices go by their device-mapper names. `parallel`: chains that do not depend on each other, such as those of several volumes; each is done in its own order, and what the kernel has to wait for in all of them it waits for at once. `plugin`, wherever it stands: the commit cannot be data; after all kernel calls the host calls provider.commit().
 */
export type CommitOp =
  | {
      op: "plugin";
    }
  | {
      op: "parallel";
      chains: CommitOp[][];
    }
  | {
      op: "dm-message";
      device: DmName;
      /**
       * Which target of the table is meant; 0 if not given.
       */
      sector?: number;
      /**
       * For example create_snap 2 1.
       */
      message: string;
    }
  | {
      op: "dm-load";
      device: DmName;
      /**
       * @minItems 1
       */
      table: DmTarget[];
    }
  | {
      op: "dm-create";
      device: DmName;
      uuid?: string;
    }
  | {
      op: "dm-resume";
      device: DmName;
    }
  | {
      op: "dm-remove";
      device: DmName;
    }
  | {
      op: "btrfs-snapshot";
      /**
       * Root of the subvolume that is captured.
       */
      subvolume: string;
      /**
       * Where the snapshot is made, on the same file system.
       */
      folder: string;
      name: string;
      /**
       * Read-only if not given.
       */
      writable?: boolean;
    };
/**
 * Any JSON value but null; handed back to thaw and to abort.
 */
export type FreezeToken = string | number | boolean | {compensation?: Compensation; [k: string]: unknown} | unknown[];
export type Snapshots = Snapshot[];
export type Nothing = null;
/**
 * One line of the progress stream (create --json=stream).
 */
export type Event =
  | BegunEvent
  | QueuedEvent
  | PhaseEvent
  | CallEvent
  | ProgressEvent
  | LogEvent
  | LeftOutEvent
  | WarningEvent
  | EndedEvent;
/**
 * One line of a transaction's journal: on disk before the action that it announces.
 */
export type JournalEntry = BegunEntry | AskedEntry | AnsweredEntry | EndedEntry;
export type JournaledOp = "prepare" | "freeze" | "commit" | "thaw" | "seal" | "repair" | "preserve" | "abort";
export type DataDirSource = WorkingDirectory | ArgumentSource | PathSource;
/**
 * accepted: it is being planned. running: with its phase.
 */
export type OperationState = AcceptedState | QueuedState | RunningState | EndedState;

export interface AllSchemas {
  audit?: AuditLine;
  "command-line"?: CommandLine;
  components?: Components;
  config?: Config;
  "conformance-fixture"?: Fixture;
  "conformance-report"?: ConformanceReport;
  contract?: Contract;
  event?: Event;
  history?: PastTransaction;
  journal?: JournalEntry;
  lock?: PluginLock;
  "plugin-manifest"?: PluginManifest;
  service?: Service;
  "snapshot-set"?: SnapshotSet;
}
/**
 * One line of audit.jsonl in the state directory: a change to a set, or the removal or protection of data, and its user.
 */
export interface AuditLine {
  /**
   * ISO 8601, UTC.
   */
  at: string;
  /**
   * expire: the lease of the set ended.
   */
  action:
    | "create"
    | "expose"
    | "unexpose"
    | "complete"
    | "verify"
    | "keep"
    | "recover"
    | "delete"
    | "expire"
    | "retain"
    | "restore"
    | "revert"
    | "lease"
    | "cancel";
  set: SetId;
  name?: string;
  /**
   * Of the client, if the service did it.
   */
  uid: number;
  /**
   * The user that became root with sudo.
   */
  sudoUser?: string;
  pid: number;
  /**
   * Of the process with that pid, if the service did it.
   */
  executable?: string;
  detail?: string;
}
/**
 * The document that each command prints with --json, by the command's name; `error` if the command failed before it did anything.
 */
export interface CommandLine {
  doctor?: DoctorDocument;
  init?: InitDocument;
  plan?: EstimatedPlan;
  /**
   * With --lease-stdin, the set.
   */
  create?: EndedDocument | SnapshotSet;
  run?: RunDocument;
  serve?: UnitFiles;
  list?: SetList;
  show?: SnapshotSet;
  history?: HistoryDocument;
  expose?: SnapshotSet;
  unexpose?: SnapshotSet;
  verify?: SnapshotSet;
  /**
   * With --dry-run, the plan.
   */
  restore?: RestorePlanDocument | RestoredDocument;
  revert?: RevertedDocument;
  delete?: RemovalDocument;
  /**
   * With --dry-run, the verdicts.
   */
  prune?: PruneVerdicts | PruneDocument;
  retain?: SnapshotSet;
  complete?: Completed;
  recover?: RecoverDocument;
  writers?: WriterList;
  providers?: ProviderList;
  "plugins-list"?: PluginsListDocument;
  "plugins-why"?: PluginExplanation;
  "plugins-lock"?: PluginPins;
  "plugins-check"?: ConformanceReport;
  "plugins-new"?: NewPlugin;
  schedule?: UnitFiles;
  metrics?: TextDocument;
  completions?: TextDocument;
  manual?: TextDocument;
  error?: ErrorDocument;
}
export interface DoctorDocument {
  checks: DoctorCheck[];
}
export interface DoctorCheck {
  about: "system" | "rights" | "config" | "plugins" | "tools" | "state" | "volumes" | "servers";
  /**
   * note: works, but not as well as it could. bad: something will fail.
   */
  state: "good" | "note" | "bad";
  found: string;
  /**
   * What follows from it.
   */
  means?: string;
  /**
   * What fixes it.
   */
  remedy?: string;
}
export interface InitDocument {
  /**
   * The path of the config, written or not.
   */
  file: string;
  /**
   * The config.
   */
  text: string;
  /**
   * The writers in it, as targets.
   */
  targets: string[];
}
/**
 * What create would do, and how long that usually takes.
 */
export interface EstimatedPlan {
  id: SetId;
  request: PlannedRequest;
  cut: Cut;
  volumes: PlannedVolume[];
  writers: PlannedWriter[];
  providers: PlannedProvider[];
  components: PlannedComponent[];
  leftOut: LeftOutWriter[];
  warnings: string[];
  promised: Consistency;
  asked: Consistency;
  usual: Usual[];
}
/**
 * What was asked for.
 */
export interface PlannedRequest {
  /**
   * As in the request.
   */
  targets: string[];
  name?: string;
  tags?: {
    [k: string]: string;
  };
  /**
   * The lowest consistency that counts as success. Default: what is promised.
   */
  require?: "application" | "filesystem" | "crash";
  includeRoot?: boolean;
  lease?: LeaseMark;
  id?: SetId;
  requester?: RequesterMark;
}
/**
 * The process that holds a lock on the lease's file.
 */
export interface LeaseMark {
  id: string;
  pid: number;
  since: string;
}
/**
 * A process, as the kernel reported it when it connected.
 */
export interface RequesterMark {
  uid: number;
  gid: number;
  pid: number;
  /**
   * Its executable at that time; absent if that could not be read.
   */
  executable?: string;
}
export interface PlannedVolume {
  volume: Volume;
  /**
   * Instance name.
   */
  provider: string;
  qualities: Qualities;
}
/**
 * A mounted file system, the paths on it that are to be captured, and the block devices below it.
 */
export interface Volume {
  /**
   * Stable for as long as it is mounted: two paths on one file system have the same id.
   */
  id: string;
  mountPoint: string;
  fsType: string;
  /**
   * As in the mount table: /dev/mapper/vg0-data, tmpfs, host:/export.
   */
  source: string;
  /**
   * What of the file system is mounted there: / or a subvolume or a bind-mounted folder.
   */
  root: string;
  /**
   * Top first; empty where the file system has no block device.
   */
  devices: BlockDevice[];
  /**
   * Absolute, each on this volume.
   *
   * @minItems 1
   */
  paths: string[];
  /**
   * Absolute; see Component.exclude.
   */
  exclude: string[];
}
export interface BlockDevice {
  /**
   * The kernel's name, for example dm-3.
   */
  name: string;
  /**
   * major:minor.
   */
  number: string;
  kind: "disk" | "partition" | "lvm" | "crypt" | "multipath" | "dm" | "loop" | "raid";
  /**
   * Device-mapper name, or the file behind a loop device.
   */
  label?: string;
  /**
   * Device-mapper UUID.
   */
  uuid?: string;
  sizeBytes: number;
  /**
   * Kernel names of the devices directly below.
   */
  lower: string[];
}
export interface Qualities {
  /**
   * The snapshot is of one instant.
   */
  pointInTime: boolean;
  /**
   * All volumes of this provider in one set are of the same instant.
   */
  atomicGroup: boolean;
  /**
   * What the kernel will be asked to hold while the snapshot is taken, as prepare will answer it: the volume's file system is flushed and stands still. Empty or not there: nothing is held.
   */
  hold?: HoldTarget[];
  revert?: boolean;
  /**
   * The snapshot can be exposed writable.
   */
  writable?: boolean;
  /**
   * What will be done, in a few words: shown by plan.
   */
  method?: string;
  /**
   * Where the snapshot will lie: shown by plan.
   */
  where?: string;
}
export interface PlannedWriter {
  who: Who;
  policy: "required" | "best-effort";
  components: Component[];
  volumes: string[];
  cut: Cut;
}
/**
 * A plugin instance, as every message names it.
 */
export interface Who {
  role: "writer" | "provider";
  instance: string;
  plugin: string;
  version: string;
}
/**
 * Something that a writer owns: a database cluster, a group of files. It has paths, and so volumes.
 */
export interface Component {
  /**
   * Unique within the writer.
   */
  name: string;
  kind: "database" | "files" | "logs";
  /**
   * Absolute paths of all that belongs to the component.
   *
   * @minItems 1
   */
  paths: string[];
  /**
   * Absolute paths below `paths` that a copying provider may leave out. A trailing `/*` keeps the directory and leaves out what is in it.
   */
  exclude?: string[];
  /**
   * What the snapshot must be while the application is frozen. `fuzzy`: a copy that is made file by file between freeze and thaw will do, because nothing in `paths` changes then, or because the application's own redo makes whole what did. `point-in-time`: only one of a single instant will, because threads of the application go on writing whatever is locked.
   */
  tolerates: "point-in-time" | "fuzzy";
  /**
   * Order of freezing: front-end first, system last; thawed in reverse. Default: back-end.
   */
  level?: "front-end" | "back-end" | "system";
  /**
   * Whether the writer repairs the snapshot after the cut, so that it opens at once. none: never. fork: only where the snapshot as it was cut stays beside it. always: on the snapshot itself where the provider makes no fork. Default: none.
   */
  repair?: "none" | "fork" | "always";
  /**
   * How the writer holds the application still, by the cut: a few words for a person, in the plan.
   */
  method?: {
    atomic?: string;
    "per-volume"?: string;
    fuzzy?: string;
  };
  /**
   * What a person or a restore wants to know: version, system identifier, port. Never a secret.
   */
  facts?: {
    [k: string]: unknown;
  };
}
export interface PlannedProvider {
  who: Who;
  volumes: Volume[];
}
export interface PlannedComponent {
  writer: string | null;
  component: Component;
  volumes: string[];
  cut: Cut;
  held: boolean;
  promised: Consistency;
  reason?: string;
}
export interface LeftOutWriter {
  who: Who;
  error: Fault;
}
/**
 * An error as data: code, a sentence, what was found, the next step.
 */
export interface Fault {
  code: string;
  message: string;
  hint?: string;
  details?: {
    [k: string]: unknown;
  };
}
/**
 * The duration of a call in past runs.
 */
export interface Usual {
  /**
   * Instance name.
   */
  actor: string;
  op: "freeze" | "commit";
  /**
   * The number of runs with this call, of the last 20.
   */
  runs: number;
  /**
   * The number of runs in which this call failed.
   */
  failed: number;
  /**
   * Of the runs in which it succeeded; null: it failed in each.
   */
  medianMs: number | null;
  maxMs: number | null;
  /**
   * The limit in the last run.
   */
  limitMs: number;
  /**
   * Of a freeze: from the call of freeze to the return of thaw; the median.
   */
  stillMs: number | null;
}
/**
 * How a transaction ended.
 */
export interface EndedDocument {
  outcome: "created" | "degraded" | "aborted" | "interrupted" | "broken";
  /**
   * The exit code of the command.
   */
  exitCode: number;
  /**
   * null: it does not exist.
   */
  set: null | SnapshotSet;
  error: null | Fault;
  residue: Residue[];
  timeline: Span[];
}
/**
 * The record of one transaction: what was captured, the consistency that was reached, and the proof.
 */
export interface SnapshotSet {
  $schema?: string;
  recordVersion: 1;
  id: SetId;
  name?: string;
  tags: {
    [k: string]: string;
  };
  /**
   * The instant of the cut, ISO 8601, UTC.
   */
  createdAt: string;
  host: string;
  /**
   * Version of the host that made the set.
   */
  holdstill: string;
  /**
   * As the requester named them.
   */
  targets: string[];
  cut: Cut;
  asked: Consistency;
  consistency: Consistency;
  /**
   * From the first call of freeze to the last return of thaw, ms; 0 without writers.
   */
  frozenMs: number;
  components: RecordedComponent[];
  writers: RecordedWriter[];
  volumes: Volume[];
  snapshots: RecordedSnapshot[];
  timeline: Span[];
  hold?: RecordedHold;
  exposed?: RecordedExposure[];
  /**
   * A folder below which the contents are also mounted, at their original paths.
   */
  exposedAt?: string;
  lease?: LeaseMark;
  requester?: RequesterMark;
  /**
   * Until then the set cannot be deleted. ISO 8601, UTC.
   */
  retainUntil?: string;
  /**
   * The last verification of each writer.
   */
  verified?: Verification[];
  outcome?: Outcome;
}
export interface RecordedComponent {
  /**
   * Instance name; null for paths without a writer.
   */
  writer: string | null;
  component: Component;
  volumes: string[];
  consistency: Consistency;
  /**
   * Why the consistency is not application.
   */
  reason?: string;
}
export interface RecordedWriter {
  by: PluginRef;
  policy: "required" | "best-effort";
  /**
   * frozen: uninterrupted until thaw. degraded: the freeze was lost, or thaw failed. left-out: best-effort, and failed.
   */
  state: "frozen" | "degraded" | "left-out";
  reason?: string;
  frozen?: FrozenSpan;
  facts?: {
    [k: string]: unknown;
  };
  repair?: Repair;
  sidecar?: RecordedSidecar;
}
export interface PluginRef {
  instance: string;
  plugin: string;
  version: string;
}
/**
 * ms from the start of the transaction.
 */
export interface FrozenSpan {
  since: number;
  until: number;
}
/**
 * The result of the repair. repaired: the application opens it at once. failed: it does not. passed-over: the repair was not tried, for this reason.
 */
export interface Repair {
  state: "repaired" | "failed" | "passed-over";
  /**
   * Snapshot.id of each snapshot that was written to; one with `of` has its unchanged original beside it.
   */
  in: string[];
  reason?: string;
  facts?: {
    [k: string]: unknown;
  };
}
export interface RecordedSidecar {
  /**
   * Absolute.
   */
  dir: string;
  files: SidecarFile[];
}
export interface SidecarFile {
  path: string;
  bytes: number;
  sha256: string;
}
export interface RecordedSnapshot {
  by: PluginRef;
  snapshot: Snapshot;
}
export interface Snapshot {
  /**
   * The provider's own name for it; unique within the provider.
   */
  id: string;
  /**
   * Id of the snapshot that this one is a fork of; not there in one that was cut.
   */
  of?: string;
  setId: string;
  volumeId: string;
  createdAt: string;
  /**
   * Space that it takes of its own, as far as known.
   */
  bytes?: number;
  /**
   * reflink, copy, thin, …
   */
  method?: string;
  usage?: Usage;
  /**
   * Why it cannot be shown any more, in a few words; not there in one that is whole. Only list tells it, and the record of one that a revert has used up.
   */
  lost?: string;
  facts?: {
    [k: string]: unknown;
  };
}
/**
 * How full the room is that what changes is kept in, as of now: only list tells it.
 */
export interface Usage {
  percent: number;
  /**
   * Whose room it is: the snapshot's own, or a pool's that others use too.
   */
  where: string;
}
/**
 * One call of the transaction; times in ms from its start.
 */
export interface Span {
  op: string;
  /**
   * Instance name, or keeper.
   */
  actor: string;
  from: number;
  to: number;
  limitMs: number;
  outcome: "ok" | "failed";
  reason?: string;
}
/**
 * The proof that the kernel held all targets while the snapshot was taken. Times are ms from the start of the transaction.
 */
export interface RecordedHold {
  /**
   * From the first call of hold to the last return of release, ms.
   */
  heldMs: number;
  targets: HeldTarget[];
}
/**
 * The kernel confirmed at release that the hold was still in force.
 */
export interface HeldTarget {
  target: HoldTarget;
  from: number;
  to: number;
}
export interface RecordedExposure {
  /**
   * Instance name of the provider.
   */
  by: string;
  /**
   * Snapshot.id
   */
  snapshot: string;
  exposed: Exposed;
}
/**
 * Where a snapshot can be read.
 */
export interface Exposed {
  /**
   * @minItems 1
   */
  trees: ExposedTree[];
  readOnly: boolean;
}
export interface ExposedTree {
  /**
   * The path that was captured.
   */
  original: string;
  /**
   * Where its snapshot lies.
   */
  path: string;
}
export interface Verification {
  /**
   * Instance name.
   */
  writer: string;
  at: string;
  ok: boolean;
  /**
   * What failed.
   */
  reason?: string;
  facts?: {
    [k: string]: unknown;
  };
}
/**
 * The result of the backup, as it was reported.
 */
export interface Outcome {
  succeeded: boolean;
  /**
   * copy leaves the application's logs unchanged; full allows the writers to truncate them.
   */
  type: "copy" | "full";
  at: string;
}
/**
 * What could not be undone.
 */
export interface Residue {
  actor: string;
  op: string;
  error: Fault;
}
export interface RunDocument {
  /**
   * With --lease-stdin, the set.
   */
  ended: EndedDocument | SnapshotSet;
  /**
   * null: it was not started.
   */
  command: null | CommandEndDocument;
  /**
   * Why the command was not started, if the set was created.
   */
  error: null | Fault;
  /**
   * Writers that could not be notified of the result.
   */
  notNotified: NotNotifiedWriter[];
  /**
   * Why the set could not be unexposed or removed.
   */
  left: null | Fault;
}
export interface CommandEndDocument {
  /**
   * 128 plus the number of the signal, if a signal ended it.
   */
  exitCode: number;
  signal: string | null;
}
export interface NotNotifiedWriter {
  writer: string;
  error: Fault;
}
/**
 * Unit files for systemd.
 */
export interface UnitFiles {
  /**
   * The text of each, by its name.
   */
  files: {
    [k: string]: string;
  };
}
export interface SetList {
  sets: SnapshotSet[];
  damaged: DamagedRecord[];
}
/**
 * A record that cannot be read. It is reported and left unchanged.
 */
export interface DamagedRecord {
  file: string;
  findings: Finding[];
}
/**
 * An error in a document.
 */
export interface Finding {
  file: string;
  /**
   * From 1; absent if the document is not text, or could not be read up to there.
   */
  line?: number;
  /**
   * JSON pointer of the value; empty: the whole document.
   */
  pointer: string;
  seen: string;
  expected: string;
  /**
   * The nearest valid name, if it looks like a misspelling.
   */
  nearest?: string;
}
export interface HistoryDocument {
  transactions: PastTransaction[];
}
/**
 * One line of history.jsonl in the state directory: a transaction that has ended. It stays when its set is deleted.
 */
export interface PastTransaction {
  id?: SetId;
  /**
   * When it ended. ISO 8601, UTC.
   */
  at: string;
  outcome: "created" | "degraded" | "aborted" | "interrupted" | "broken" | "refused";
  name?: string;
  targets: string[];
  consistency?: Consistency;
  frozenMs?: number;
  cause?: Fault;
  timeline: Span[];
}
export interface RestorePlanDocument {
  set: SnapshotSet;
  where: "in-place" | "elsewhere";
  steps: RestoreStepDocument[];
  writers: string[];
}
export interface RestoreStepDocument {
  component: string;
  original: string;
  to: string;
  draft: string;
  aside: string | null;
}
export interface RestoredDocument {
  set: SnapshotSet;
  steps: RestoreStepDocument[];
  unfinished: NotNotifiedWriter[];
}
export interface RevertedDocument {
  set: SnapshotSet;
  steps: RestoreStepDocument[];
  /**
   * Writers that could not finish: the data is in place.
   */
  unfinished: NotNotifiedWriter[];
  safety: SafetySet;
}
/**
 * A set with the previous data.
 */
export interface SafetySet {
  /**
   * null: it could not be taken.
   */
  set: null | SnapshotSet;
  reason?: Fault;
}
/**
 * What was removed, and what could not be.
 */
export interface RemovalDocument {
  deleted: SetId[];
  failed: Unremoved[];
}
export interface Unremoved {
  set: SetId;
  error: Fault;
}
export interface PruneVerdicts {
  verdicts: PruneVerdict[];
  /**
   * Records that cannot be read. They stay.
   */
  damaged: DamagedRecord[];
}
export interface PruneVerdict {
  set: SetId;
  /**
   * The rules that keep it; empty: prune deletes it.
   */
  kept: string[];
}
export interface PruneDocument {
  deleted: SetId[];
  failed: Unremoved[];
  /**
   * Records that cannot be read. They stay.
   */
  damaged: DamagedRecord[];
}
/**
 * failed: writers that could not be notified.
 */
export interface Completed {
  set: SnapshotSet;
  failed: NotNotifiedWriter[];
}
/**
 * done: leftovers that were undone. residue: what could not be undone.
 */
export interface RecoverDocument {
  leftovers: Leftover[];
  done: Leftover[];
  residue: Residue[];
}
export interface DeadTransaction {
  type: "transaction";
  id: SetId;
  /**
   * ISO 8601, UTC.
   */
  begunAt: string;
  /**
   * The plugins that must undo something.
   */
  owed: Owed[];
  /**
   * Targets that may still be held.
   */
  held: string[];
}
export interface Owed {
  who: Who;
}
/**
 * No record names it.
 */
export interface StraySnapshot {
  type: "snapshot";
  /**
   * Instance name.
   */
  provider: string;
  snapshot: Snapshot;
}
/**
 * The process that exposed it died.
 */
export interface StrayExposure {
  type: "exposure";
  id: SetId;
}
/**
 * Its lease has ended.
 */
export interface ExpiredSet {
  type: "expired";
  id: SetId;
  /**
   * ISO 8601, UTC.
   */
  createdAt: string;
  lease: LeaseMark;
}
export interface WriterList {
  writers: WriterDocument[];
}
/**
 * components: what it owns. error: why it did not report that.
 */
export interface WriterDocument {
  who: Who;
  policy: "required" | "best-effort";
  /**
   * null: it has never been frozen.
   */
  last: null | LastTime;
  /**
   * Servers whose data directory belongs to this writer.
   */
  servers: DetectedServer[];
  components?: Component[];
  error?: Fault;
}
/**
 * Its last freeze.
 */
export interface LastTime {
  /**
   * ISO 8601, UTC.
   */
  at: string;
  result: "frozen" | "failed";
  /**
   * From the call of freeze to the return of thaw, ms; null: it failed to freeze.
   */
  frozenMs: number | null;
  reason: string | null;
}
/**
 * A process that the manifest of a writer's plugin describes.
 */
export interface DetectedServer {
  /**
   * As in the manifest: PostgreSQL.
   */
  title: string;
  /**
   * The plugin whose manifest describes it.
   */
  plugin: string;
  pid: number;
  /**
   * Absolute path of its data directory.
   */
  dataDir: string;
  /**
   * Paths of the Unix sockets that it listens on.
   */
  sockets: string[];
  /**
   * TCP ports that it listens on.
   */
  ports: number[];
  /**
   * Its systemd unit; null: it runs outside of systemd's services.
   */
  unit: string | null;
}
export interface ProviderList {
  providers: ProviderDocument[];
}
export interface ProviderDocument {
  who: Who;
  snapshots?: Snapshot[];
  error?: Fault;
}
export interface PluginsListDocument {
  plugins: ResolvedPluginDocument[];
  /**
   * By the name of the instance.
   */
  candidates: {
    [k: string]: Candidate[];
  };
  found: Candidate[];
  warnings: string[];
  problems: Fault[];
}
export interface ResolvedPluginDocument {
  who: Who;
  dir: string;
  policy: "required" | "best-effort";
  isolation: "thread" | "process";
  /**
   * Heap of the worker, MiB.
   */
  memoryMb: number;
  freezeMs: number | null;
  /**
   * Version of the contract that is used.
   */
  protocol: number;
}
export interface Candidate {
  name: string;
  version: string;
  dir: string;
  verdict: "taken" | "older" | "unused" | "refused";
  reason: string;
}
export interface PluginExplanation {
  name: string;
  host: HostDocument;
  asked: AskedPlugin[];
  candidates: ExplainedCandidate[];
  /**
   * The plugin paths, in the order of the search.
   */
  searched: string[];
  problems: Fault[];
}
export interface HostDocument {
  version: string;
  protocols: number[];
}
/**
 * An instance of the config that asks for it.
 */
export interface AskedPlugin {
  instance: string;
  use: PluginUse;
  policy: "required" | "best-effort" | "excluded";
  /**
   * null: not from a file.
   */
  place: null | ConfigPlace;
  taken: null | Candidate;
}
export interface PluginUse {
  name: string;
  range: string;
}
export interface ConfigPlace {
  file: string;
  line?: number;
  pointer: string;
}
export interface ExplainedCandidate {
  name: string;
  version: string;
  dir: string;
  verdict: "taken" | "older" | "unused" | "refused";
  reason: string;
  /**
   * null: its manifest is not valid.
   */
  needs: null | PluginNeeds;
  trust: TrustProblem[];
}
export interface PluginNeeds {
  /**
   * A range of versions.
   */
  holdstill: string;
  protocol: ProtocolNeeds;
  commands: ProgramNeeded[];
  environment: VariableNeeded[];
}
export interface ProtocolNeeds {
  spoken: number[];
  /**
   * null: the host supports none of them.
   */
  used: number | null;
}
export interface ProgramNeeded {
  name: string;
  /**
   * null: it does not exist.
   */
  path: string | null;
}
export interface VariableNeeded {
  name: string;
  isSet: boolean;
}
/**
 * Why another user can change the code.
 */
export interface TrustProblem {
  path: string;
  problem: string;
  remedy: string;
}
export interface PluginPins {
  file: string;
  plugins: PluginPin[];
  /**
   * Pinned before, and no longer used.
   */
  dropped: DroppedPin[];
}
export interface PluginPin {
  name: string;
  version: string;
  content: Digest;
  was: "new" | "same" | "other";
  changes: FileChange[];
}
export interface FileChange {
  file: string;
  change: "added" | "changed" | "removed";
}
export interface DroppedPin {
  name: string;
  version: string;
}
/**
 * What `holdstill plugins check` found; the document of its --json.
 */
export interface ConformanceReport {
  reportVersion: 1;
  /**
   * Version of the host.
   */
  holdstill: string;
  plugin: CheckedPlugin;
  passed: number;
  failed: number;
  skipped: number;
  ms: number;
  checks: CheckResult[];
}
export interface CheckedPlugin {
  dir: string;
  /**
   * Not there where the manifest does not tell.
   */
  name?: string;
  version?: string;
  kind?: "writer" | "provider";
}
export interface NewPlugin {
  dir: string;
  kind: "writer" | "provider";
  name: string;
  language: "typescript" | "javascript";
  /**
   * Relative to dir.
   */
  files: string[];
}
/**
 * What would be printed without --json.
 */
export interface TextDocument {
  text: string;
}
/**
 * The document of a command that failed before it did anything.
 */
export interface ErrorDocument {
  error: Fault;
}
/**
 * holdstill.yaml: which plugins take part, and the limits that hold for them.
 */
export interface Config {
  $schema?: string;
  /**
   * Folders that are searched for plugins, beside the bundled ones. Relative to the config file.
   */
  pluginPaths?: string[];
  /**
   * Where the catalog, the journal and the locks live. Default: /var/lib/holdstill for root, else $XDG_STATE_HOME/holdstill.
   */
  stateDir?: string;
  /**
   * Where snapshots are exposed, one folder per set. Default: /run/holdstill for root, else $XDG_STATE_HOME/holdstill-exposed.
   */
  exposeDir?: string;
  usageInterval?: Duration;
  limits?: Limits;
  /**
   * The plugin instances. Without a provider among them, the host uses the plugin whose manifest has `fallback`.
   */
  plugins?: PluginInstance[];
  log?: LogConfig;
  service?: ServiceConfig;
}
/**
 * The longest time that each part of a transaction may take. None is unlimited.
 */
export interface Limits {
  queue?: Duration;
  identify?: Duration;
  prepare?: Duration;
  freeze?: Duration;
  hold?: Duration;
  copy?: Duration;
  seal?: Duration;
  repair?: Duration;
  complete?: Duration;
  abort?: Duration;
}
export interface PluginInstance {
  /**
   * NAME or NAME@RANGE, for example writer-acme@^1.
   */
  use: string;
  /**
   * Name of this instance. Default: the plugin's name.
   */
  as?: string;
  /**
   * Writers only. required (default): no snapshot without it. best-effort: left out when it fails, and the record says so. excluded: not asked.
   */
  policy?: "required" | "best-effort" | "excluded";
  /**
   * Overrides the manifest.
   */
  isolation?: "thread" | "process";
  freeze?: Duration;
  /**
   * Variables of holdstill's own environment that the plugin gets beside those that its manifest names, for example a proxy's. Nothing else is handed on.
   */
  environment?: string[];
  /**
   * Checked against the plugin's own schema. Where that says that it is a secret: {"env": NAME} or {"file": PATH}, a file that only root and the user who runs holdstill can read, in place of the secret itself.
   */
  options?: {
    [k: string]: unknown;
  };
}
export interface LogConfig {
  level?: "debug" | "info" | "warn" | "error" | "silent";
  /**
   * JSON lines. Never on a volume that is snapshotted. Default: no file.
   */
  file?: string;
}
/**
 * `holdstill serve`: where it listens, and who may do what. Root, and the user who runs it, may do everything; nobody else may do anything that is not named here.
 */
export interface ServiceConfig {
  /**
   * The Unix socket. Default: /run/holdstill.sock for root, else $XDG_STATE_HOME/holdstill.sock.
   */
  socket?: string;
  group?: string;
  rights?: RightsConfig;
  /**
   * How many operations may run or wait at a time. Default 64.
   */
  operations?: number;
}
/**
 * Each implies read.
 */
export interface RightsConfig {
  read?: Principals;
  create?: Principals;
  delete?: Principals;
  restore?: Principals;
}
/**
 * conformance.json, beside plugin.json: what `holdstill plugins check` tries the plugin on. Commands are run by sh, in the plugin's folder. In commands and in every text here $WORK is an empty folder that is made for the run, and $PLUGIN the plugin's folder.
 */
export interface Fixture {
  $schema?: string;
  /**
   * The plugin's block, as it would stand in the config.
   */
  options?: {
    [k: string]: unknown;
  };
  /**
   * For the commands here, and for the plugin where its manifest names the variable.
   */
  environment?: {
    [k: string]: string;
  };
  /**
   * Makes what the plugin is tried on. What is to go on in the background is started with setsid, and ended when all is over.
   */
  setup?: string;
  /**
   * Undoes setup; $WORK is removed anyway.
   */
  teardown?: string;
  /**
   * Longest time of one call, s. Default: 10.
   */
  limitSeconds?: number;
  /**
   * Of a writer: tries to change the application's data, and ends with 0 when the change got through. While frozen it may fail, or wait.
   */
  probe?: string;
  /**
   * Of a writer: makes a freeze that is in force end, as a restart of the application does.
   */
  loseFreeze?: string;
  /**
   * Of a provider: folders that are captured. Files are made in them and removed.
   *
   * @minItems 1
   */
  targets?: string[];
  /**
   * Folders in which nothing may be left, no file and no mount.
   */
  watch?: string[];
}
/**
 * The values that cross between host and plugin in contract version 1. Every answer is checked against its definition here.
 */
export interface Contract {
  volume?: Volume;
  support?: Support;
  criticalSection?: CriticalSection;
  freezeToken?: FreezeToken;
  compensation?: Compensation;
  thawReport?: ThawReport;
  sidecar?: Sidecar;
  snapshot?: Snapshot;
  snapshots?: Snapshots;
  exposed?: Exposed;
  report?: Report;
  nothing?: Nothing;
}
/**
 * A provider's answer to prepare: what is to be held, and what is to be done while it is.
 */
export interface CriticalSection {
  hold: HoldTarget[];
  commit: CommitOp[];
}
/**
 * One line of a device-mapper table; start and length in sectors of 512 bytes.
 */
export interface DmTarget {
  start: number;
  length: number;
  type: string;
  params: string;
}
/**
 * A command that thaws the application where the plugin cannot any more. The host runs it before abort when the worker is dead, and after its own death. It may come to an application that goes on already. Its program is one that the manifest's requires.commands names.
 */
export interface Compensation {
  command: string;
  args?: string[];
}
export interface ThawReport {
  /**
   * The freeze was in force from freeze to this thaw, without a gap.
   */
  uninterrupted: boolean;
  /**
   * If not held: what was seen.
   */
  reason?: string;
  facts?: {
    [k: string]: unknown;
  };
}
/**
 * What a writer keeps with the set: files that it wrote into tx.sidecarDir, and facts.
 */
export interface Sidecar {
  /**
   * Relative to tx.sidecarDir.
   */
  files: string[];
  facts?: {
    [k: string]: unknown;
  };
}
/**
 * The answer of recover and verify.
 */
export interface Report {
  ok: boolean;
  reason?: string;
  facts?: {
    [k: string]: unknown;
  };
}
export interface BegunEvent {
  type: "begun";
  at: string;
  ms: number;
  transaction: string;
  targets: string[];
  cut: "atomic" | "per-volume" | "fuzzy";
  writers: string[];
  providers: string[];
}
/**
 * A volume belongs to another transaction, and this one waits.
 */
export interface QueuedEvent {
  type: "queued";
  at: string;
  ms: number;
  volume: string;
  /**
   * Of those that wait in this process; 1 is next. Sent again when it changes.
   */
  position?: number;
  owner: VolumeOwner;
}
export interface VolumeOwner {
  pid: number;
  transaction: string;
  since: string;
}
export interface PhaseEvent {
  type: "phase";
  at: string;
  ms: number;
  phase: string;
  limitMs: number;
}
export interface CallEvent {
  type: "call";
  at: string;
  ms: number;
  actor: string;
  op: string;
  status: "begun" | "ok" | "failed";
  limitMs?: number;
  elapsedMs?: number;
  error?: Fault;
}
export interface ProgressEvent {
  type: "progress";
  at: string;
  ms: number;
  actor: string;
  message: string;
  done?: number;
  total?: number;
}
export interface LogEvent {
  type: "log";
  at: string;
  ms: number;
  actor: string;
  level: "debug" | "info" | "warn" | "error";
  message: string;
  fields?: {
    [k: string]: unknown;
  };
}
/**
 * A best-effort writer failed, and is left out from now on.
 */
export interface LeftOutEvent {
  type: "left-out";
  at: string;
  ms: number;
  actor: string;
  error: Fault;
}
export interface WarningEvent {
  type: "warning";
  at: string;
  ms: number;
  message: string;
  hint?: string;
}
/**
 * Always the last event.
 */
export interface EndedEvent {
  type: "ended";
  at: string;
  ms: number;
  outcome: "created" | "degraded" | "refused" | "aborted" | "interrupted" | "broken";
  exitCode: number;
  set?: string;
  consistency?: "application" | "filesystem" | "crash" | "none";
  error?: Fault;
  residue: Residue[];
}
export interface BegunEntry {
  entry: "begun";
  version: 1;
  id: SetId;
  pid: number;
  at: string;
  cut: Cut;
  targets: string[];
  enlisted: Enlisted[];
}
/**
 * A plugin that takes part, with all that an abort in a blank worker needs to know.
 */
export interface Enlisted {
  who: Who;
  components?: Components;
  cut?: Cut;
}
export interface AskedEntry {
  entry: "asked";
  actor: string;
  op: JournaledOp;
}
export interface AnsweredEntry {
  entry: "answered";
  actor: string;
  op: JournaledOp;
  token?: FreezeToken;
  fault?: Fault;
}
export interface EndedEntry {
  entry: "ended";
  outcome: "created" | "aborted";
  residue: JournaledResidue[];
}
export interface JournaledResidue {
  actor: string;
  fault: Fault;
}
/**
 * holdstill.lock.json, beside the config: pins every plugin that may be loaded to its content.
 */
export interface PluginLock {
  $schema?: string;
  lockVersion: 1;
  plugins: LockedPlugin[];
}
export interface LockedPlugin {
  name: string;
  version: string;
  content: Digest;
  /**
   * Every file and link of the folder by its relative path: SHA-256 over mode and content. That of plugin.json is the manifest's.
   */
  files: {
    [k: string]: Digest;
  };
}
/**
 * plugin.json: what a plugin is, what it needs and what it speaks.
 */
export interface PluginManifest {
  $schema?: string;
  manifestVersion: 1;
  /**
   * Lower case, digits and hyphens.
   */
  name: string;
  /**
   * Semantic version. Several versions of a plugin may lie side by side.
   */
  version: string;
  kind: "writer" | "provider";
  description?: string;
  /**
   * Contract versions that the plugin speaks. The host takes the highest that both know.
   *
   * @minItems 1
   */
  protocol: number[];
  engines: {
    /**
     * Semantic version range of the hosts that the plugin runs on.
     */
    holdstill: string;
  };
  /**
   * Entry: an ES module inside the plugin's folder whose default export is the plugin.
   */
  main: string;
  /**
   * JSON Schema (2020-12) of the plugin's block in the config, defaults included. What it marks with "writeOnly": true is a secret: the config may refer to it with {"env": NAME} or {"file": PATH}, the plugin gets the value, and the host takes it out of everything that the plugin says; so never put one into a path, a name or a freeze token.
   */
  options?: {
    [k: string]: unknown;
  };
  requires?: {
    /**
     * Programs that ctx.exec may run; nothing else is.
     */
    commands?: string[];
    /**
     * Where the options name programs, as JSON pointers into them: a program, a folder of programs, or a file that names some. What is found there may be changed by root and the user who runs holdstill only. ctx.exec then runs programs by absolute path too, each after the same check.
     */
    programs?: string[];
    /**
     * Environment variables handed to the plugin beside PATH, HOME, LANG and TZ.
     */
    environment?: string[];
  };
  /**
   * `thread` (default) contains exceptions, loops and most memory faults. `process` contains native crashes and blocking system calls too.
   */
  isolation?: "thread" | "process";
  limits?: {
    /**
     * Heap of the plugin's worker, MiB.
     */
    memoryMb?: number;
    /**
     * Longest time that freeze may take, s. The config may lower it.
     */
    freezeSeconds?: number;
  };
  /**
   * How `doctor` and `init` recognize what this plugin is for: a writer's application by its processes, a provider's storage by its volumes. The host only reads what the kernel reports. It runs no code of the plugin.
   *
   * @minItems 1
   */
  detects?: Detection[];
  suggests?: Suggestion;
  /**
   * Whether this provider is used if no instance in the config is a provider. If several plugins can be, the host uses the first that it finds on the plugin paths.
   */
  fallback?: boolean;
}
/**
 * One thing to recognize: `process` in a writer's manifest, `volume` in a provider's.
 */
export interface Detection {
  /**
   * What was recognized, as a user calls it: PostgreSQL.
   */
  title: string;
  process?: ProcessDetection;
  volume?: VolumeDetection;
}
/**
 * The first process of an application. Its children with the same name are ignored.
 */
export interface ProcessDetection {
  /**
   * Names of the process, as in /proc/PID/comm: at most 15 characters.
   *
   * @minItems 1
   */
  names: string[];
  /**
   * Where the data directory is found. The host uses the first that exists and has `contains`. Default: the working directory.
   *
   * @minItems 1
   */
  dataDir?: DataDirSource[];
  /**
   * A file or folder that every data directory of the application has, relative to it.
   */
  contains?: string;
  /**
   * A regular expression for the file name of the Unix socket to connect to, among those that the process listens on. Its named groups are placeholders for `suggests`.
   */
  socket?: string;
}
export interface WorkingDirectory {
  /**
   * The working directory of the process.
   */
  from: "working-directory";
}
export interface ArgumentSource {
  /**
   * The value of a command line argument, as NAME VALUE or NAME=VALUE.
   */
  from: "argument";
  name: string;
}
export interface PathSource {
  /**
   * The path where the application's packages store its data.
   */
  from: "path";
  path: string;
}
/**
 * Volumes that the provider captures. If both properties are given, a volume must match both.
 */
export interface VolumeDetection {
  /**
   * Kinds of the block device that carries the file system; see BlockDevice.
   *
   * @minItems 1
   */
  deviceKinds?: ("disk" | "partition" | "lvm" | "crypt" | "multipath" | "dm" | "loop" | "raid")[];
  /**
   * Types of the file system, as in the mount table.
   *
   * @minItems 1
   */
  fsTypes?: string[];
}
/**
 * The config block that `init` writes for what was detected.
 */
export interface Suggestion {
  /**
   * Name of the instance. Placeholders are allowed. Default: the plugin's name and `-${name}` for a writer, the plugin's name for a provider.
   */
  as?: string;
  /**
   * The options. In a writer's, a text may have placeholders: `${dataDir}`; `${name}`, the last part of the data directory; `${socket}` and `${socketDir}`; `${port}`, the lowest TCP port that the process listens on; `${unit}`, its systemd unit; and the named groups of `socket`. An option with a placeholder that has no value is left out, so that its default applies.
   */
  options?: {
    [k: string]: unknown;
  };
}
/**
 * The requests and responses of the service.
 */
export interface Service {
  setRequest?: SetRequest;
  planRequest?: PlanRequest;
  completion?: Completion;
  restoreRequest?: RestoreRequest;
  operationResult?: OperationResult;
  operationState?: OperationState;
  operation?: OperationDocument;
  keptOperation?: KeptOperation;
  problem?: Problem;
  health?: Health;
  plan?: Plan;
  writers?: WriterList;
  providers?: ProviderList;
  plugins?: PluginList;
  sets?: SetList;
  operations?: OperationList;
  deleted?: Deleted;
  completed?: Completed;
  lease?: LeaseState;
  leftovers?: Leftovers;
  recovered?: Recovered;
  page?: PageAddress;
  restorePlan?: RestorePlanDocument;
  restored?: RestoredDocument;
  history?: HistoryList;
}
/**
 * The request.
 */
export interface SetRequest {
  /**
   * Paths, mount points, mounted block devices: absolute; or writer:INSTANCE.
   *
   * @minItems 1
   * @maxItems 256
   */
  targets: string[];
  name?: string;
  tags?: {
    [k: string]: string;
  };
  /**
   * The lowest consistency that counts as success. Default: what the plan promises.
   */
  require?: "application" | "filesystem" | "crash";
  /**
   * Also hold volumes that carry `/`, holdstill, or its state.
   */
  includeRoot?: boolean;
  lease?: Duration;
}
export interface PlanRequest {
  /**
   * Paths, mount points, mounted block devices: absolute; or writer:INSTANCE.
   *
   * @minItems 1
   * @maxItems 256
   */
  targets: string[];
  /**
   * The lowest consistency that counts as success. Default: what the plan promises.
   */
  require?: "application" | "filesystem" | "crash";
  /**
   * Also hold volumes that carry `/`, holdstill, or its state.
   */
  includeRoot?: boolean;
}
export interface Completion {
  /**
   * Whether the backup of the set succeeded.
   */
  succeeded: boolean;
  /**
   * full: the writers may truncate their logs. copy, the default, leaves logs unchanged.
   */
  type?: "copy" | "full";
}
export interface RestoreRequest {
  /**
   * WRITER, WRITER/COMPONENT, or a path of the set. Default: all.
   *
   * @maxItems 1024
   */
  components?: string[];
  /**
   * Restore below this folder. Default: to the original paths.
   */
  to?: string;
}
/**
 * How an operation ended: with a `set`, or an `error`.
 */
export interface OperationResult {
  outcome: "created" | "degraded" | "refused" | "aborted" | "interrupted" | "broken";
  /**
   * The exit code that the command line would have.
   */
  exitCode: number;
  set?: SetId;
  error?: Fault;
  residue: Residue[];
  timeline: Span[];
}
export interface AcceptedState {
  type: "accepted";
}
/**
 * A volume belongs to another transaction. Position 1 is next.
 */
export interface QueuedState {
  type: "queued";
  volume: string;
  owner: VolumeOwner;
  position?: number;
}
export interface RunningState {
  type: "running";
  phase: string;
}
export interface EndedState {
  type: "ended";
  /**
   * ISO 8601, UTC.
   */
  endedAt: string;
  result: OperationResult;
}
/**
 * A request to take a set, from when it is accepted.
 */
export interface OperationDocument {
  id: SetId;
  /**
   * ISO 8601, UTC.
   */
  acceptedAt: string;
  requester: RequesterMark;
  request: SetRequest;
  state: OperationState;
}
/**
 * An operation in the state directory, so that the next service has it.
 */
export interface KeptOperation {
  operation: OperationDocument;
  key?: IdempotencyKey;
}
export interface IdempotencyKey {
  name: string;
  /**
   * SHA-256 of the request.
   */
  fingerprint: string;
}
/**
 * An error, RFC 9457 (application/problem+json).
 */
export interface Problem {
  type: string;
  /**
   * The error's sentence.
   */
  title: string;
  status: number;
  code: string;
  /**
   * The next step.
   */
  hint: string;
  /**
   * What was found.
   */
  details: {
    [k: string]: unknown;
  };
}
export interface Health {
  status: "ok";
  api: "v1";
  version: string;
  pid: number;
  /**
   * ISO 8601, UTC.
   */
  since: string;
  config: string | null;
  stateDir: string;
  /**
   * The limit of each part of a transaction.
   */
  limitsMs: {
    [k: string]: number;
  };
  operations: OperationCount;
  leases: number;
  you: Caller;
}
export interface OperationCount {
  open: number;
  limit: number;
}
/**
 * The caller, as the kernel reports it, and its rights.
 */
export interface Caller {
  requester: RequesterMark;
  rights: ("read" | "create" | "delete" | "restore")[];
}
/**
 * What a transaction would do.
 */
export interface Plan {
  id: SetId;
  request: PlannedRequest;
  cut: Cut;
  volumes: PlannedVolume[];
  writers: PlannedWriter[];
  providers: PlannedProvider[];
  components: PlannedComponent[];
  leftOut: LeftOutWriter[];
  warnings: string[];
  promised: Consistency;
  asked: Consistency;
}
export interface PluginList {
  plugins: Candidate[];
  problems: Fault[];
  warnings: string[];
}
export interface OperationList {
  operations: OperationDocument[];
}
export interface Deleted {
  deleted: SetId;
}
export interface LeaseState {
  set: SetId;
  /**
   * null: it does not expire while a client waits with it, or reads the events of its operation.
   */
  expiresAt: string | null;
}
/**
 * What transactions left after a crash, and sets whose lease has ended.
 */
export interface Leftovers {
  /**
   * @maxItems 10000
   */
  leftovers: Leftover[];
}
/**
 * residue: what could not be undone.
 */
export interface Recovered {
  done: Leftover[];
  residue: Residue[];
}
export interface PageAddress {
  /**
   * On 127.0.0.1, with a token that works once.
   */
  address: string;
}
export interface HistoryList {
  history: PastTransaction[];
}
