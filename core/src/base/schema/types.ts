// Generated from schemas/ by `npm run generate`. Do not edit: change the schema.

export type SetId = string;
/**
 * What hosts and requesters write into etcd for a set of several hosts, below the prefix of the config. No value contains a secret.
 */
export type ClusterValue = ClusterPlan | RequesterState | HostState | ClusterVerdict | HostPresence;
/**
 * `application`: the application was frozen throughout, or its redo log makes the copy whole. `filesystem`: the file systems were flushed for the snapshot, without a writer. `crash`: of one instant, and nothing was flushed. `none`: files of different moments.
 */
export type Consistency = "application" | "filesystem" | "crash" | "none";
export type HostStep = HostReached | HostVoted | HostWithdrawn | HostSettled;
/**
 * When writers repair the snapshots. Inline, the default, is before the set is complete. Later is by `holdstill repair`, on forks of the snapshots. Never leaves them as they were cut.
 */
export type RepairTime = "inline" | "later" | "never";
/**
 * atomic: all volumes at one instant. per-volume: each volume at a different instant. fuzzy: copied file by file.
 */
export type Cut = "atomic" | "per-volume" | "fuzzy";
/**
 * What is captured as a whole: a mounted file system, or a raw block device. A provider is asked only for the kinds that `volumes` of its manifest names.
 */
export type Volume = FileSystemVolume | BlockVolume;
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
 * Mount points below a captured path that are left out. Absent if there are none.
 */
export type NotCaptured = string[];
export type Verification = WriterVerification | DeviceVerification;
export type DiffVolume = ComparedVolume | WholeVolume;
/**
 * `repaired`, the default: a snapshot that its writer repaired takes the place of the one that was cut. `as-cut`: the snapshots as they were cut, for example as the base for a point in time.
 */
export type RestoreContents = "repaired" | "as-cut";
/**
 * Deleted sets with snapshots that their providers did not list before: they may still exist. `recover` removes them once they are listed.
 */
export type Unseen = UnseenRemoval[];
/**
 * What a process left that died.
 */
export type Leftover =
  | DeadTransaction
  | VotedTransaction
  | StraySnapshot
  | StrayExposure
  | DeadRestore
  | UnreadableTransaction
  | UnrecordedSet
  | AwaitedSnapshots
  | UnseenStorage
  | ExpiredSet;
export type Capabilities = ProviderCapabilities[];
export type Digest = string;
/**
 * Result of one check. `title` describes what is correct. `runtime` is absent if the check needed no worker.
 */
export type CheckResult =
  | {
      status: "passed";
      name: CheckName;
      group: string;
      title: string;
      runtime?: Runtime;
      variant?: Variant;
      ms: number;
      /**
       * What could not be tested.
       */
      note?: string;
    }
  | {
      status: "failed";
      name: CheckName;
      group: string;
      title: string;
      runtime?: Runtime;
      variant?: Variant;
      ms: number;
      seen: string;
      /**
       * What the plugin's author has to do.
       */
      next: string;
    }
  | {
      status: "skipped";
      name: CheckName;
      group: string;
      title: string;
      runtime?: Runtime;
      variant?: Variant;
      reason: string;
    };
export type CheckName = string;
export type Runtime = "thread" | "process";
/**
 * Number of the set of options in `variants` of conformance.json, from 1. Absent: `options` alone.
 */
export type Variant = number;
/**
 * The result of identify: what the application owns, where that is stored, and what kind of snapshot it tolerates.
 *
 * @minItems 1
 */
export type Components = Component[];
/**
 * "250ms", "3s", "10m", "1h", or milliseconds.
 */
export type Duration = string | number;
/**
 * Items: `user:NAME` or `group:NAME`, with a name or a number.
 */
export type Principals = string[];
/**
 * The result of match; null: this provider cannot capture the volume.
 */
export type Support = null | Qualities;
/**
 * One step of the commit, done while everything is held. The keeper makes the kernel calls in the given order. Devices have their device-mapper names. `parallel`: independent chains of steps, such as those of several volumes. Each chain keeps its order, and the waits of the kernel overlap. `plugin`: the commit cannot be data. The host calls `provider.commit()` after all kernel calls.
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
       * Index of the target in the table. Default: 0.
       */
      sector?: number;
      /**
       * Such as `create_snap 2 1`.
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
       * Root of the captured subvolume.
       */
      subvolume: string;
      /**
       * Path of the new snapshot, on the same file system.
       */
      folder: string;
      name: string;
      /**
       * Default: read-only.
       */
      writable?: boolean;
    };
/**
 * Any JSON value except null. The host passes it to thaw and abort.
 */
export type FreezeToken = string | number | boolean | {compensation?: Compensation; [k: string]: unknown} | unknown[];
/**
 * A text, or the value of an option of this instance when the command is run. The journal has the text, but never the value of an option. So refer to a secret by its option: a secret in a text is replaced by `(hidden)`.
 */
export type CompensationText = string | OptionValue;
export type Snapshots = Snapshot[];
/**
 * The result of list: all snapshots, or a partial list.
 */
export type Listed = Snapshots | PartialList;
/**
 * The result of verify. `opens`: the application opened the contents, and every check passed. `does-not-open`: the contents are damaged. `not-examined`: the contents may be good, but the application could not be started on them, or not be asked.
 */
export type VerifyReport =
  | {
      result: "opens";
      facts?: {
        [k: string]: unknown;
      };
    }
  | {
      result: "does-not-open" | "not-examined";
      reason: string;
      facts?: {
        [k: string]: unknown;
      };
    };
/**
 * The result of receive: one place for each volume.
 */
export type Places = Place[];
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
 * One line of a transaction's journal. It is on disk before the action that it announces.
 */
export type JournalEntry = BegunEntry | AskedEntry | AnsweredEntry | VotedEntry | EndedEntry;
export type JournaledOp = "prepare" | "freeze" | "commit" | "thaw" | "seal" | "repair" | "preserve" | "abort";
export type DataDirSource = WorkingDirectory | ArgumentSource | PathSource;
/**
 * accepted: it is being planned. running: with its phase.
 */
export type OperationState = AcceptedState | QueuedState | RunningState | EndedState;

export interface AllSchemas {
  audit?: AuditLine;
  clock?: ClockRecord;
  cluster?: ClusterValue;
  "command-line"?: CommandLine;
  components?: Components;
  config?: Config;
  "conformance-fixture"?: Fixture;
  "conformance-report"?: ConformanceReport;
  contract?: Contract;
  event?: Event;
  export?: ExportHeader;
  history?: PastTransaction;
  journal?: JournalEntry;
  lock?: PluginLock;
  "plugin-manifest"?: PluginManifest;
  service?: Service;
  "snapshot-set"?: SnapshotSet;
  tombstone?: Tombstone;
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
    | "export"
    | "import"
    | "expose"
    | "unexpose"
    | "complete"
    | "verify"
    | "repair"
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
 * clock.json in the state directory: the number of the last set, and the last time that was plausible.
 */
export interface ClockRecord {
  version: 1;
  sequence: number;
  known: TimeReading;
}
/**
 * Two clocks at one moment: the one that can be set, and the one that cannot.
 */
export interface TimeReading {
  /**
   * CLOCK_REALTIME, ms since 1970.
   */
  at: number;
  /**
   * /proc/sys/kernel/random/boot_id
   */
  boot: string;
  /**
   * CLOCK_BOOTTIME, ms.
   */
  upMs: number;
}
/**
 * plan/SET, written once by the requester: which host captures what.
 */
export interface ClusterPlan {
  key: "plan";
  /**
   * All hosts of a set speak the same one.
   */
  protocol: number;
  hosts: ClusterTargets[];
  name?: string;
  tags: {
    [k: string]: string;
  };
  require?: Consistency;
  by: ClusterRequester;
}
export interface ClusterTargets {
  host: string;
  targets: string[];
}
/**
 * The process that asked for the set.
 */
export interface ClusterRequester {
  name: string;
  bootId: string;
  pid: number;
  /**
   * ISO 8601, UTC; for people.
   */
  at: string;
}
/**
 * requester/SET: the last meeting to which the requester has come.
 */
export interface RequesterState {
  key: "requester";
  step: "armed" | "frozen";
}
/**
 * host/HOST/SET, written by that host alone: how far it is. Each value replaces exactly the one before it.
 */
export interface HostState {
  key: "host";
  /**
   * A random name of the process that writes.
   */
  writer: string;
  state: HostStep;
}
export interface HostReached {
  step: "armed" | "frozen" | "taken";
}
/**
 * The host keeps the set if the verdict is commit, and cannot undo it alone any more.
 */
export interface HostVoted {
  step: "sealed";
  part: ClusterPart;
}
/**
 * What one host states of itself. Its times are its own: CLOCK_MONOTONIC since its boot, ms. They cannot be compared with those of other hosts. Revisions can: they are those of the cluster's log.
 */
export interface ClusterPart {
  host: string;
  bootId: string;
  /**
   * Of the engine, as its responses named it.
   */
  clusterId: string;
  consistency: Consistency;
  taken: ClusterMoment;
  seen: ClusterMoment;
  /**
   * null: this host held nothing.
   */
  hold: null | ClusterHold;
}
export interface ClusterMoment {
  at: number;
  revision: number;
}
export interface ClusterHold {
  /**
   * Everything was held from here.
   */
  heldAt: number;
  /**
   * The release was requested. The kernel confirmed that every hold was in force until then.
   */
  releaseAt: number;
}
export interface HostWithdrawn {
  step: "withdrawn";
  reason: Fault;
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
 * The host has done what the verdict demands.
 */
export interface HostSettled {
  step: "settled";
  fate: "kept" | "undone";
  part?: ClusterPart;
  reason?: Fault;
}
/**
 * verdict/SET: the fate of the set. It is written once. A commit names the votes that it compared.
 */
export interface ClusterVerdict {
  key: "verdict";
  verdict: "commit" | "abort";
  reason?: Fault;
}
/**
 * host/HOST/presence, with a lease: only for people. Nothing is decided by it.
 */
export interface HostPresence {
  key: "presence";
  holdstill: string;
  protocol: number;
  bootId: string;
  allow: string[];
  since: string;
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
  create?: ClusterSetDocument | EndedDocument | SnapshotSet;
  run?: RunReport;
  serve?: UnitFiles;
  list?: SetList;
  show?: SnapshotSet;
  history?: HistoryDocument;
  expose?: SnapshotSet;
  unexpose?: SnapshotSet;
  verify?: SnapshotSet;
  repair?: SnapshotSet;
  diff?: DiffDocument;
  export?: ExportDocument;
  import?: SnapshotSet;
  /**
   * With --dry-run, the plan.
   */
  restore?: RestorePlan | Restored;
  /**
   * With --finish, what the writers finished.
   */
  revert?: RevertedDocument | Restored;
  delete?: RemovalDocument;
  /**
   * With --dry-run, the verdicts.
   */
  prune?: PruneVerdicts | PruneDocument;
  retain?: SnapshotSet;
  complete?: Completed;
  "cluster-hosts"?: ClusterHostsDocument;
  "cluster-init"?: ClusterInitDocument;
  recover?: RecoverDocument;
  writers?: WriterList;
  providers?: ProviderList;
  "plugins-list"?: PluginsListDocument;
  "plugins-why"?: PluginExplanation;
  "plugins-lock"?: PluginPins;
  "plugins-upgrade"?: PluginUpgrade;
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
   * `note`: it works, but not as well as it could. `bad`: something will fail.
   */
  state: "good" | "note" | "bad";
  found: string;
  /**
   * What this means for snapshots.
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
   * Text of the config.
   */
  text: string;
  /**
   * The writers in the config, as targets.
   */
  targets: string[];
}
/**
 * What `create` would do, and how long that usually takes.
 */
export interface EstimatedPlan {
  id: SetId;
  request: PlannedRequest;
  cut: Cut;
  volumes: PlannedVolume[];
  writers: PlannedWriter[];
  providers: PlannedProvider[];
  components: PlannedComponent[];
  notCaptured?: NotCaptured;
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
   * The lowest consistency that counts as success. Default: what the plan promises; at least crash, if a target is a writer.
   */
  require?: "application" | "filesystem" | "crash" | "none";
  includeRoot?: boolean;
  repair?: RepairTime;
  lease?: LeaseMark;
  /**
   * Until then the set cannot be deleted. ISO 8601, UTC.
   */
  retainUntil?: string;
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
 * A mounted file system, with the paths on it that are to be captured, and the block devices below it.
 */
export interface FileSystemVolume {
  /**
   * Absent in records of earlier versions.
   */
  kind?: "filesystem";
  /**
   * Stable while the file system is mounted. Two paths on one file system have the same id. On btrfs, each subvolume is a separate volume: the id is followed by the path of the subvolume, as in `0:39/home`.
   */
  id: string;
  /**
   * The mount that the paths are reached by. On btrfs it may be above the captured subvolume, which need not be mounted itself.
   */
  mountPoint: string;
  fsType: string;
  /**
   * As in the mount table: /dev/mapper/vg0-data, tmpfs, host:/export.
   */
  source: string;
  /**
   * The part of the file system that is mounted there: `/`, or a bind-mounted folder. On btrfs it is the subvolume that the paths are in, from the top of the file system: snapshot this one, not `mountPoint`.
   */
  root: string;
  /**
   * Top first. Empty if the file system has no block device.
   */
  devices: BlockDevice[];
  /**
   * Absolute paths on this volume.
   *
   * @minItems 1
   */
  paths: string[];
  /**
   * Absolute paths; see `Component.exclude`.
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
/**
 * A raw block device, such as the disk of a virtual machine. It is not mounted, and no other device is on it. What it contains is the application's affair.
 */
export interface BlockVolume {
  kind: "block";
  /**
   * major:minor of the device. Two paths to one device have the same id.
   */
  id: string;
  /**
   * The device itself, then those below it.
   *
   * @minItems 1
   */
  devices: BlockDevice[];
  /**
   * The node of the device: one path.
   *
   * @minItems 1
   * @maxItems 1
   */
  paths: string[];
}
export interface Qualities {
  /**
   * Whether the snapshot is of one instant.
   */
  pointInTime: boolean;
  /**
   * What the storage captures at one instant without a hold: an array, a pool, a consistency group. Volumes of one instance with the same key share one instant, and others do not. Absent: the volume has its own instant, unless all volumes of the set are held.
   */
  group?: string;
  /**
   * What the snapshot is without a hold and without a writer. `crash`, the default: of one instant, and nothing was flushed. `filesystem`: the storage itself flushes the file system before the cut, as btrfs and ZFS do. It has no meaning unless `pointInTime` is true.
   */
  consistency?: "crash" | "filesystem";
  /**
   * What the kernel will hold while the snapshot is taken, as `prepare` will return it. The file system is flushed first. Empty or absent: nothing is held.
   */
  hold?: HoldTarget[];
  space?: Space;
  revert?: boolean;
  /**
   * Whether the snapshot can be exposed writable.
   */
  writable?: boolean;
  /**
   * How the volume will be captured: a few words that the plan shows.
   */
  method?: string;
  /**
   * The place where the snapshot will be stored: a few words that the plan shows.
   */
  where?: string;
}
/**
 * The place for the snapshot, as far as that can be found out quickly. If the volumes of one set need more than is free, or more snapshots than are allowed, the plan is refused.
 */
export interface Space {
  /**
   * What volumes of this instance share, such as a volume group: their needs are added up. Absent: the figures are of this volume alone.
   */
  pool?: string;
  /**
   * What the snapshot takes at once.
   */
  neededBytes?: number;
  freeBytes?: number;
  /**
   * What a fork takes, in which a repair works. shares: what is changed in it. copies: as much as the snapshot itself.
   */
  fork?: "shares" | "copies";
  snapshots?: SnapshotCount;
}
/**
 * How many snapshots there may be, and how many there are.
 */
export interface SnapshotCount {
  limit: number;
  used: number;
}
export interface PlannedWriter {
  who: PluginIdentity;
  policy: "required" | "best-effort";
  components: Component[];
  volumes: string[];
  cut: Cut;
}
/**
 * A plugin instance, as every message names it.
 */
export interface PluginIdentity {
  role: "writer" | "provider";
  instance: string;
  plugin: string;
  version: string;
}
/**
 * Something that a writer owns, such as a database cluster or a group of files.
 */
export interface Component {
  /**
   * Unique within the writer.
   */
  name: string;
  /**
   * `device`: raw block devices.
   */
  kind: "database" | "files" | "logs" | "device";
  /**
   * Absolute paths of everything that belongs to the component.
   *
   * @minItems 1
   */
  paths: string[];
  /**
   * Absolute paths below `paths` that a provider that copies may leave out. A trailing `/*` keeps the directory and leaves out its content.
   */
  exclude?: string[];
  /**
   * Which snapshot is usable while the application is frozen. `fuzzy`: also a copy that is made file by file between freeze and thaw. Nothing in `paths` changes in that time, or the application's redo log repairs it. `point-in-time`: only one of a single instant. Threads of the application may continue to write.
   */
  tolerates: "point-in-time" | "fuzzy";
  /**
   * Order of the freezes: front-end first, system last. Thaw has the reverse order. Default: back-end.
   */
  level?: "front-end" | "back-end" | "system";
  /**
   * Whether the writer repairs the snapshot after the cut, so that the application opens it at once. `none`, the default: never. `fork`: only on a fork, beside the snapshot as it was cut. `always`: on a fork, or on the snapshot itself if the provider cannot make a fork.
   */
  repair?: "none" | "fork" | "always";
  /**
   * What of the component the writer neither freezes nor repairs, such as tables of an engine that it does not know. It is a clause for the plan and the record. The set is then not promised `application`, but only what its volumes have without a writer.
   */
  notCovered?: string;
  /**
   * How the writer freezes the application, for each cut: a few words that the plan shows. For a cut that `tolerates` excludes: what to do to get another one.
   */
  method?: {
    atomic?: string;
    "per-volume"?: string;
    fuzzy?: string;
  };
  /**
   * Facts for a person or for a restore, such as version, system identifier, and port. Never a secret.
   */
  facts?: {
    [k: string]: unknown;
  };
}
export interface PlannedProvider {
  who: PluginIdentity;
  volumes: Volume[];
}
export interface PlannedComponent {
  writer: string | null;
  component: Component;
  volumes: string[];
  cut: Cut;
  withoutWriter: Consistency;
  promised: Consistency;
  reason?: string;
}
export interface LeftOutWriter {
  who: PluginIdentity;
  policy: "required" | "best-effort";
  error: Fault;
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
 * With --cluster: how the set of several hosts ended. Each host has its own record of it.
 */
export interface ClusterSetDocument {
  outcome: "created" | "degraded" | "aborted" | "interrupted" | "broken";
  /**
   * The exit code of the command.
   */
  exitCode: number;
  set: SetId;
  /**
   * atomic: the hosts have proven that all held at one instant. null: there is no set.
   */
  instant: "atomic" | "unproven" | null;
  hosts: ClusterHostResult[];
  error: null | Fault;
}
export interface ClusterHostResult {
  host: string;
  /**
   * open: the host has not reported what it did with the verdict.
   */
  fate: "kept" | "undone" | "open";
  consistency?: Consistency;
  heldMs?: number;
  reason?: string;
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
  /**
   * Grows with each set of a state directory, also if the clock is set. Absent in records of earlier versions.
   */
  sequence?: number;
  clockDoubt?: ClockDoubt;
  host: string;
  /**
   * Version of holdstill that made the set.
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
  /**
   * Mount points and subvolumes below a captured path that are left out. Absent if there are none.
   */
  notCaptured?: string[];
  timeline: Span[];
  hold?: RecordedHold;
  cluster?: RecordedCluster;
  exposed?: RecordedExposure[];
  restoring?: UnfinishedRestore;
  /**
   * A folder below which the contents are also mounted, at their original paths.
   */
  exposedAt?: string;
  imported?: ImportMark;
  lease?: LeaseMark;
  requester?: RequesterMark;
  /**
   * Until then the set cannot be deleted. ISO 8601, UTC.
   */
  retainUntil?: string;
  /**
   * The last verification of each writer, and of each raw device.
   */
  verified?: Verification[];
  outcome?: RecordedOutcome;
}
export interface ClockDoubt {
  /**
   * back: the clock is behind the expected time. forward: it is far ahead of it.
   */
  type: "back" | "forward";
  /**
   * The last known time and what has passed since, ISO 8601, UTC.
   */
  expected: string;
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
   * frozen: uninterrupted until thaw. degraded: the freeze was lost, or thaw failed. left-out: it failed, and was best-effort, or not concerned by the targets.
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
 * Repaired: the application opens it at once. Failed: it does not. Passed-over: the repair was not tried, for this reason. Pending: it is not made yet.
 */
export interface Repair {
  state: "repaired" | "failed" | "passed-over" | "pending";
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
   * Absolute path.
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
  /**
   * When its removal began, ISO 8601, UTC. The removal was interrupted or has failed, so the snapshot may be gone.
   */
  removalAt?: string;
}
export interface Snapshot {
  /**
   * The provider's name for the snapshot, unique within the provider.
   */
  id: string;
  /**
   * Id of the snapshot that this one is a fork of. Absent in a snapshot that was cut.
   */
  of?: string;
  setId: string;
  volumeId: string;
  createdAt: string;
  /**
   * Space that the snapshot itself takes, as far as known.
   */
  bytes?: number;
  /**
   * For example reflink, copy, or thin.
   */
  method?: string;
  /**
   * `creating`: the cut was made, but the storage has not finished the snapshot, so that it cannot be exposed. The host then waits, and asks `list`. `ready`, the default: it can be exposed. Only `seal` and `list` return it.
   */
  state?: "creating" | "ready";
  usage?: Usage;
  volume?: Volume;
  /**
   * Whether the snapshot is of one instant, which `recover --adopt` must know. Only `list` returns it. Absent: it is.
   */
  pointInTime?: boolean;
  /**
   * Why the snapshot can no longer be read, in a few words. Absent if it can. Only `list` returns it. The record of a snapshot that a revert used up also has it.
   */
  lost?: string;
  /**
   * Why it is not known whether the snapshot exists. Only the host sets it, if it was asked for the usage of a recorded snapshot.
   */
  unseen?: string;
  /**
   * Facts for a person. `notCaptured`, a list of the paths below a captured one that the snapshot does not contain, becomes a part of the record.
   */
  facts?: {
    [k: string]: unknown;
  };
}
/**
 * Current usage of the space in which changes are stored. Only `list` returns it.
 */
export interface Usage {
  percent: number;
  /**
   * The place of this space: the snapshot itself, or a pool that is shared.
   */
  where: string;
}
/**
 * One call of the transaction. Times are ms from the start of the transaction.
 */
export interface Span {
  op: string;
  /**
   * Instance name, or `keeper`.
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
/**
 * The set spans several hosts, and has this id on each of them. This is what a proof of the shared instant needs.
 */
export interface RecordedCluster {
  /**
   * The host that has this record, by its name in the cluster.
   */
  self: string;
  /**
   * The key of the verdict.
   */
  key: string;
  /**
   * atomic: the parts prove that all hosts held at one instant. unproven: they do not.
   */
  instant: "atomic" | "unproven";
  verdictRevision: number;
  parts: ClusterPart[];
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
 * The paths at which a snapshot can be read. Of a file system: at least one tree, and no device. Of a raw block device: one device, and no tree.
 */
export interface Exposed {
  trees: ExposedTree[];
  devices?: ExposedDevice[];
  readOnly: boolean;
}
export interface ExposedTree {
  /**
   * The path that was captured.
   */
  original: string;
  /**
   * The path of its contents.
   */
  path: string;
}
/**
 * Users other than root and the group of the original cannot read it.
 */
export interface ExposedDevice {
  /**
   * The device that was captured.
   */
  original: string;
  /**
   * The block device with its contents, if possible under a name that no other device gets at a later boot.
   */
  path: string;
}
/**
 * Of a restore that is under way, or whose process died.
 */
export interface UnfinishedRestore {
  /**
   * temporary: the set was exposed for the restore, and is unexposed afterwards.
   */
  exposure: "kept" | "temporary";
  drafts: RestoreDraft[];
}
/**
 * A copy that has not taken its place. It is recorded before it is made.
 */
export interface RestoreDraft {
  path: string;
  /**
   * What has another inode number is not removed. Absent: nothing was copied yet.
   */
  inode?: string;
}
/**
 * Of a set that another host has taken: `host` is that one, and the snapshots are of this host.
 */
export interface ImportMark {
  /**
   * ISO 8601, UTC.
   */
  at: string;
  /**
   * Of the export.
   */
  sha256: string;
}
/**
 * A writer started its application on the contents.
 */
export interface WriterVerification {
  /**
   * Instance name.
   */
  writer: string;
  at: string;
  /**
   * `not-examined`: whether the snapshot is good is not known.
   */
  result: "opens" | "does-not-open" | "not-examined";
  /**
   * What is damaged, or why it could not be examined.
   */
  reason?: string;
  facts?: {
    [k: string]: unknown;
  };
}
/**
 * The snapshot of a raw block device was opened, and its beginning and its end were read.
 */
export interface DeviceVerification {
  /**
   * The device that was captured.
   */
  device: string;
  at: string;
  /**
   * `not-examined`: whether the snapshot is good is not known.
   */
  result: "opens" | "does-not-open" | "not-examined";
  /**
   * What is damaged, or why it could not be examined.
   */
  reason?: string;
  facts?: {
    [k: string]: unknown;
  };
}
/**
 * The result of the backup, as it was reported.
 */
export interface RecordedOutcome {
  succeeded: boolean;
  /**
   * copy leaves the application's logs unchanged; full allows the writers to truncate them.
   */
  type: "copy" | "full";
  command?: CommandEnd;
  at: string;
}
/**
 * How the command of `run` ended.
 */
export interface CommandEnd {
  /**
   * 128 plus the number of the signal, if a signal ended it.
   */
  exitCode: number;
  signal: string | null;
}
/**
 * What could not be undone.
 */
export interface Residue {
  actor: string;
  op: string;
  error: Fault;
}
export interface RunReport {
  /**
   * With --lease-stdin, the set.
   */
  ended: ClusterSetDocument | EndedDocument | SnapshotSet;
  /**
   * null: the command was not started.
   */
  command: null | CommandEnd;
  /**
   * Why the command was not started, if the set was created; or, after the command, that a snapshot was lost while it ran.
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
export interface NotNotifiedWriter {
  writer: string;
  error: Fault;
}
/**
 * Unit files for systemd.
 */
export interface UnitFiles {
  /**
   * Text of each unit file, by its name.
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
  /**
   * `newer`: a later version of holdstill wrote it.
   */
  state: "newer" | "damaged";
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
   * JSON pointer to the value. Empty: the whole document.
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
  /**
   * How the applications were frozen, in the words of their writers.
   */
  freezeMethod?: string;
  cause?: Fault;
  backup?: RecordedOutcome;
  timeline: Span[];
}
/**
 * What changed from one set to another, for each volume of the second one.
 */
export interface DiffDocument {
  from: SetId;
  to: SetId;
  volumes: DiffVolume[];
}
/**
 * All bytes outside of the extents are the same in both snapshots.
 */
export interface ComparedVolume {
  state: "compared";
  /**
   * What was captured.
   */
  paths: string[];
  /**
   * Instance name.
   */
  provider: string;
  /**
   * The block device, or the image file, with the contents of the snapshot in the first set. It is there while that set is exposed.
   */
  from: string;
  /**
   * The same in the second set.
   */
  to: string;
  /**
   * Size of `to`.
   */
  sizeBytes: number;
  /**
   * In ascending order; they do not overlap.
   */
  extents: ChangedExtent[];
}
export interface ChangedExtent {
  /**
   * Bytes.
   */
  offset: number;
  /**
   * Bytes.
   */
  length: number;
  /**
   * data: to be read from `to`. hole: zeros in `to`, which do not need to be read.
   */
  found: "data" | "hole";
}
/**
 * The whole volume is to be read.
 */
export interface WholeVolume {
  state: "whole";
  /**
   * What was captured.
   */
  paths: string[];
  /**
   * Instance name.
   */
  provider: string;
  reason: string;
}
export interface ExportDocument {
  set: SetId;
  /**
   * Absolute path.
   */
  file: string;
  /**
   * Digest of the export, without its last 512 bytes, which contain it.
   */
  sha256: string;
}
/**
 * What a restore would do.
 */
export interface RestorePlan {
  set: SnapshotSet;
  /**
   * `in-place`: over the originals, with the writers' help. `elsewhere`: below a folder, without them.
   */
  where: "in-place" | "elsewhere";
  contents: RestoreContents;
  steps: RestoreStep[];
  writers: string[];
}
/**
 * One path that is restored.
 */
export interface RestoreStep {
  /**
   * WRITER/COMPONENT, or the path of data without a writer.
   */
  component: string;
  /**
   * The captured path.
   */
  original: string;
  /**
   * The path that the copy gets.
   */
  to: string;
  /**
   * The path at which the copy is made, beside `to`.
   */
  draft: string;
  /**
   * The path that the previous data gets; null: there is none.
   */
  aside: string | null;
}
export interface Restored {
  set: SnapshotSet;
  steps: RestoreStep[];
  unfinished: NotNotifiedWriter[];
  withoutFlags?: WithoutFlags;
}
/**
 * Restored files that lack inode flags of their originals. Absent: none.
 */
export interface WithoutFlags {
  count: number;
  /**
   * At most ten of them.
   */
  first: FileWithoutFlags[];
}
export interface FileWithoutFlags {
  path: string;
  /**
   * The letters of chattr(1).
   */
  flags: string;
}
export interface RevertedDocument {
  set: SnapshotSet;
  steps: RestoreStep[];
  /**
   * Writers whose `afterRestore` failed. The data is in place.
   */
  unfinished: NotNotifiedWriter[];
  /**
   * Mount points of volumes that must be mounted before `revert --finish` can have the writers finish.
   */
  unmounted?: string[];
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
 * What was removed, and what could not be removed.
 */
export interface RemovalDocument {
  deleted: SetId[];
  unseen?: Unseen;
  /**
   * With --forget: sets without a record now, and why a snapshot of each may still exist.
   */
  forgotten?: Unremoved[];
  failed: Unremoved[];
}
export interface UnseenRemoval {
  set: SetId;
  /**
   * Ids.
   */
  snapshots: string[];
  /**
   * Why providers could not list them. Absent: they did not list them.
   */
  errors?: Fault[];
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
  unseen?: Unseen;
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
export interface ClusterHostsDocument {
  /**
   * The name of this host in the cluster.
   */
  self: string;
  /**
   * How long etcd took to respond.
   */
  tookMs: number;
  /**
   * The limit of a hold in the cluster.
   */
  holdMs: number;
  hosts: ClusterHost[];
  members: ClusterMember[];
  /**
   * Sets that are being taken, or whose hosts have not all settled.
   */
  sets: OpenClusterSet[];
}
export interface ClusterHost {
  host: string;
  holdstill: string;
  protocol: number;
  allow: string[];
  /**
   * ISO 8601, UTC.
   */
  since: string;
}
/**
 * A member of etcd.
 */
export interface ClusterMember {
  url: string;
  version?: string;
  leads?: boolean;
  /**
   * Why it did not respond.
   */
  problem?: string;
}
export interface OpenClusterSet {
  set: string;
  by: string;
  at: string;
  hosts: string[];
}
export interface ClusterInitDocument {
  /**
   * For the shell, in this order.
   */
  commands: string[];
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
  who: PluginIdentity;
}
/**
 * A part of a set of several hosts, for which this host has voted. The verdict decides whether it is kept or undone.
 */
export interface VotedTransaction {
  type: "voted";
  id: SetId;
  /**
   * ISO 8601, UTC.
   */
  begunAt: string;
  /**
   * The key of the verdict in etcd. null: the config has no cluster.
   */
  key: string | null;
}
/**
 * A snapshot that no record names, of a transaction that was undone or a set that was deleted.
 */
export interface StraySnapshot {
  type: "snapshot";
  /**
   * Instance name.
   */
  provider: string;
  snapshot: Snapshot;
  /**
   * When its set was deleted, ISO 8601, UTC. The snapshot could not be seen at that time.
   */
  deletedAt?: string;
}
/**
 * The process that exposed it died.
 */
export interface StrayExposure {
  type: "exposure";
  id: SetId;
}
/**
 * The process that restored it died.
 */
export interface DeadRestore {
  type: "restore";
  id: SetId;
  /**
   * Paths of copies that did not take their place.
   */
  drafts: string[];
}
/**
 * What it did is not known, because its journal cannot be read. Recover releases what it held, and leaves the rest.
 */
export interface UnreadableTransaction {
  type: "unreadable";
  /**
   * The file's name, without its extension.
   */
  id: string;
  file: string;
  /**
   * `newer`: a later version of holdstill wrote it.
   */
  state: "newer" | "damaged";
  findings: Finding[];
}
/**
 * Snapshots with holdstill's marks, of a set that this state directory has never known. It may be another host's.
 */
export interface UnrecordedSet {
  type: "unrecorded";
  id: SetId;
  /**
   * Of the first snapshot, ISO 8601, UTC.
   */
  createdAt: string;
  snapshots: RecordedSnapshot[];
}
/**
 * Snapshots of a deleted set that could not be seen when it was deleted, and that their provider does not list now. `recover` removes each of them once it is listed.
 */
export interface AwaitedSnapshots {
  type: "awaited";
  id: SetId;
  /**
   * ISO 8601, UTC.
   */
  deletedAt: string;
  snapshots: RecordedSnapshot[];
}
/**
 * A provider that could not list its snapshots, or not all of them: something may be left there.
 */
export interface UnseenStorage {
  type: "unseen";
  /**
   * Instance name.
   */
  provider: string;
  error: Fault;
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
  who: PluginIdentity;
  policy: "required" | "best-effort";
  /**
   * null: it has never been frozen.
   */
  last: null | LastTime;
  /**
   * Servers that use what it owns.
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
   * container: it runs in another mount namespace, in which its paths have their meaning.
   */
  place: "host" | "container";
  /**
   * Unix sockets that it listens on; empty if the service may not see them.
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
  capabilities?: Capabilities;
}
export interface ProviderDocument {
  who: PluginIdentity;
  snapshots?: Snapshot[];
  error?: Fault;
}
/**
 * What a provider can do, and how it would capture each mounted file system on a block device.
 */
export interface ProviderCapabilities {
  who: PluginIdentity;
  /**
   * Optional methods that it has.
   */
  offers: ("fork" | "preserve" | "revert" | "diff" | "receive")[];
  /**
   * What it can capture.
   */
  volumes: CapturableVolume[];
  /**
   * What it could not capture, with the reason. A volume that is not its own is in neither list.
   */
  refused: RefusedVolume[];
  error?: Fault;
}
export interface CapturableVolume {
  mountPoint: string;
  qualities: Qualities;
}
export interface RefusedVolume {
  mountPoint: string;
  error: Fault;
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
  who: PluginIdentity;
  dir: string;
  policy: "required" | "best-effort";
  /**
   * `node`, the default: `main` is an ES module, and its default export is the plugin. `executable`: `main` is a program in any language, which speaks JSON-RPC on its stdin and stdout. It always runs in a process.
   */
  runtime: "node" | "executable";
  /**
   * A program is always in a process.
   */
  isolation: "thread" | "process";
  /**
   * Heap of a module, or data of a program, MiB.
   */
  memoryMb: number;
  freezeMs: number | null;
  /**
   * Contract version that host and plugin use.
   */
  protocol: number;
}
export interface Candidate {
  name: string;
  version: string;
  dir: string;
  verdict: "taken" | "older" | "unpinned" | "unused" | "refused";
  reason: string;
}
export interface PluginExplanation {
  name: string;
  host: HostDocument;
  asked: AskedPlugin[];
  candidates: ExplainedCandidate[];
  /**
   * The plugin paths, in the order in which they are searched.
   */
  searched: string[];
  problems: Fault[];
}
export interface HostDocument {
  version: string;
  protocols: number[];
}
/**
 * An instance in the config that uses the plugin.
 */
export interface AskedPlugin {
  instance: string;
  use: PluginUse;
  policy: "required" | "best-effort" | "excluded";
  /**
   * null: it does not come from a file.
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
  verdict: "taken" | "older" | "unpinned" | "unused" | "refused";
  reason: string;
  /**
   * null: the manifest is not valid.
   */
  needs: null | PluginNeeds;
  trust: TrustProblem[];
}
export interface PluginNeeds {
  /**
   * `node`, the default: `main` is an ES module, and its default export is the plugin. `executable`: `main` is a program in any language, which speaks JSON-RPC on its stdin and stdout. It always runs in a process.
   */
  runtime: "node" | "executable";
  /**
   * Range of holdstill versions.
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
export interface PluginUpgrade {
  /**
   * The lock file.
   */
  file: string;
  plugins: UpgradedPlugin[];
  /**
   * Why the versions cannot be used with this config. Nothing is pinned then.
   */
  problems: Fault[];
}
export interface UpgradedPlugin {
  name: string;
  /**
   * The version that is used now. null: there is none.
   */
  from: string | null;
  to: string;
  newOptions: string[];
  droppedOptions: string[];
}
/**
 * The result of `holdstill plugins check`, as it prints it with --json.
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
   * Absent if the manifest does not name it.
   */
  name?: string;
  version?: string;
  kind?: "writer" | "provider";
}
export interface NewPlugin {
  dir: string;
  kind: "writer" | "provider";
  name: string;
  language: "typescript" | "javascript" | "python" | "go";
  /**
   * Relative to `dir`.
   */
  files: string[];
}
/**
 * What the command prints without --json.
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
 * holdstill.yaml: the plugins that take part, and their limits.
 */
export interface Config {
  $schema?: string;
  /**
   * Folders that are searched for plugins, before the folder of the bundled ones. Relative to the config file.
   */
  pluginPaths?: string[];
  /**
   * Folder of the catalog, the journals, and the locks. Default: /var/lib/holdstill for root, else $XDG_STATE_HOME/holdstill.
   */
  stateDir?: string;
  /**
   * Where snapshots are exposed, one folder per set. Default: /run/holdstill for root, else $XDG_STATE_HOME/holdstill-exposed.
   */
  exposeDir?: string;
  usageInterval?: Duration;
  limits?: Limits;
  repair?: RepairTime;
  /**
   * The plugin instances. Without a provider among them, the host uses the plugin whose manifest has `fallback`.
   */
  plugins?: PluginInstance[];
  log?: LogConfig;
  service?: ServiceConfig;
  cluster?: ClusterConfig;
}
/**
 * The longest time that each part of a transaction may take. No part is unlimited.
 */
export interface Limits {
  queue?: Duration;
  identify?: Duration;
  prepare?: Duration;
  freeze?: Duration;
  hold?: Duration;
  copy?: Duration;
  seal?: Duration;
  ready?: Duration;
  repair?: Duration;
  verdict?: Duration;
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
   * Only for writers. `required`, the default: no snapshot without it. `best-effort`: if it fails, it is left out, and the record shows that. `excluded`: it is not used.
   */
  policy?: "required" | "best-effort" | "excluded";
  /**
   * Overrides `isolation` of the manifest.
   */
  isolation?: "thread" | "process";
  freeze?: Duration;
  /**
   * Environment variables of holdstill that the plugin gets beside those that its manifest names, such as those of a proxy. It gets no others.
   */
  environment?: string[];
  /**
   * Options of the plugin, checked against the schema in its manifest. In place of a secret, give {"env": NAME} or {"file": PATH}. Only root and the user who runs holdstill may be able to read that file.
   */
  options?: {
    [k: string]: unknown;
  };
}
export interface LogConfig {
  level?: "debug" | "info" | "warn" | "error" | "silent";
  /**
   * File of JSON lines. It must not be on a volume that is captured. Default: no file.
   */
  file?: string;
}
/**
 * `holdstill serve`: where it listens, and which users have which rights. Root and the user who runs it have all rights. Every other user has only the rights that are named here.
 */
export interface ServiceConfig {
  /**
   * The Unix socket. Default: /run/holdstill.sock for root, else $XDG_STATE_HOME/holdstill.sock.
   */
  socket?: string;
  group?: string;
  rights?: RightsConfig;
  /**
   * Number of operations that may run or wait at a time. Default: 64.
   */
  operations?: number;
}
/**
 * Each right implies `read`.
 */
export interface RightsConfig {
  read?: Principals;
  create?: Principals;
  delete?: Principals;
  restore?: Principals;
}
/**
 * Sets of several hosts, by way of an etcd that you run. The service of each host takes part in them; see docs/cluster.md.
 */
export interface ClusterConfig {
  /**
   * The members of etcd. Use addresses, because a name may have to be looked up while volumes are held.
   *
   * @minItems 1
   */
  endpoints: string[];
  tls?: ClusterTls;
  name?: string;
  /**
   * Begins every key. All hosts have the same one. Default: /holdstill/v1/.
   */
  prefix?: string;
  /**
   * Targets that others may have captured here, as `create` takes them. A path also allows what is below it. Default: none.
   */
  allow?: string[];
  limits?: ClusterLimits;
  /**
   * Names for sets: for each host, its targets.
   */
  groups?: {
    [k: string]: ClusterGroup;
  };
}
/**
 * Files in PEM format. With https, etcd must know this host by its certificate.
 */
export interface ClusterTls {
  ca: string;
  certificate: string;
  /**
   * Only root and the user who runs holdstill may be able to read it.
   */
  key: string;
}
export interface ClusterLimits {
  hold?: Duration;
  pause?: Duration;
}
export interface ClusterGroup {
  /**
   * @minItems 1
   */
  [k: string]: string[];
}
/**
 * conformance.json, beside plugin.json: what `holdstill plugins check` tests the plugin on. `sh` runs the commands in the plugin's folder. In every text, $WORK is an empty folder that is made for the run, and $PLUGIN is the plugin's folder.
 */
export interface Fixture {
  $schema?: string;
  /**
   * The plugin's options, as in the config.
   */
  options?: {
    [k: string]: unknown;
  };
  /**
   * More sets of options. The suite runs once for each of them, over `options`, after the run with `options` alone.
   */
  variants?: {
    [k: string]: unknown;
  }[];
  /**
   * Environment variables for the commands, and for the plugin if its manifest names them.
   */
  environment?: {
    [k: string]: string;
  };
  /**
   * Command that makes what the plugin is tested on. Start with setsid what is to run in the background. It is ended after the run.
   */
  setup?: string;
  /**
   * Command that undoes `setup`. $WORK is removed in any case.
   */
  teardown?: string;
  /**
   * Longest time of one call, seconds. Default: 10.
   */
  limitSeconds?: number;
  /**
   * For providers: longest time from seal until a snapshot that is `creating` must be ready, seconds. Default: 60.
   */
  readySeconds?: number;
  /**
   * For writers: command that tries to change the application's data, and exits with 0 if it could. While the application is frozen, it must fail or wait.
   */
  probe?: string;
  /**
   * For writers: command that ends a freeze that is in force, as a restart of the application does.
   */
  loseFreeze?: string;
  /**
   * Command that prints what a transaction must not change: the application's settings, or everything in the storage. It must print the same before a transaction and after it, also if it was aborted.
   */
  state?: string;
  /**
   * For providers: command that takes the storage of the snapshots away, as an unmounted file system or a masked LUN. The snapshots must not be called gone.
   */
  takeAway?: string;
  /**
   * For providers: command that undoes `takeAway`.
   */
  giveBack?: string;
  /**
   * For providers: folders that are captured. The check creates files in them and removes these.
   *
   * @minItems 1
   */
  targets?: string[];
  /**
   * For providers of raw block devices: devices that are captured. The check overwrites their beginning, their middle, and their end.
   *
   * @minItems 1
   */
  devices?: string[];
  /**
   * Folders in which no file and no mount may be left.
   */
  watch?: string[];
}
/**
 * The values that host and plugin exchange in contract version 1. The host checks every result against its definition.
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
  listed?: Listed;
  exposed?: Exposed;
  report?: Report;
  verifyReport?: VerifyReport;
  difference?: Difference;
  places?: Places;
  nothing?: Nothing;
}
/**
 * The result of a provider's prepare: what is to be held, and the steps that are done in that time.
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
 * A command that thaws the application if the plugin no longer can. If the worker is dead, the host runs it before `abort`. If the host itself died, `recover` runs it. The application may have resumed already. The program must be one that `requires.commands` of the manifest names.
 */
export interface Compensation {
  command: string;
  /**
   * Every user of the machine can see them in `ps`.
   */
  args?: string[];
  /**
   * Environment variables beside PATH, HOME, LANG, and `LC_ALL=C`.
   */
  env?: {
    [k: string]: CompensationText;
  };
  input?: CompensationText;
}
export interface OptionValue {
  /**
   * JSON pointer, such as `/password`.
   */
  option: string;
}
export interface ThawReport {
  /**
   * Whether the freeze was in force without a gap until this thaw.
   */
  uninterrupted: boolean;
  /**
   * If it was interrupted: what was seen.
   */
  reason?: string;
  facts?: {
    [k: string]: unknown;
  };
}
/**
 * What a writer keeps with the set: files that it wrote to `tx.sidecarDir`, and facts.
 */
export interface Sidecar {
  /**
   * Path relative to `tx.sidecarDir`.
   */
  files: string[];
  facts?: {
    [k: string]: unknown;
  };
}
/**
 * These snapshots exist, and a part of the storage could not be looked at.
 */
export interface PartialList {
  snapshots: Snapshots;
  /**
   * A sentence for each part that could not be looked at: what it is, and why. Of a snapshot that is not listed, the host then claims neither that it exists nor that it is gone.
   *
   * @minItems 1
   */
  unseen: string[];
}
/**
 * The result of repair.
 */
export interface Report {
  ok: boolean;
  reason?: string;
  facts?: {
    [k: string]: unknown;
  };
}
/**
 * The result of diff: the parts of the newer snapshot that may differ from the older one. All other bytes are the same in both. `data` and `holes` are pairs of an offset and a length, bytes, in ascending order: `[0, 65536, 1048576, 65536]` are two parts.
 */
export interface Difference {
  /**
   * The block device, or the image file, with the contents of the older snapshot. It is there while that snapshot is exposed.
   */
  from: string;
  /**
   * The same of the newer one.
   */
  to: string;
  /**
   * Size of the newer one.
   */
  sizeBytes: number;
  /**
   * Parts to read from the newer one.
   */
  data: number[];
  /**
   * Parts that are zeros in the newer one, and do not need to be read.
   */
  holes: number[];
}
/**
 * A place for the contents of a volume.
 */
export interface Place {
  volumeId: string;
  /**
   * An empty folder. It gets each captured path below it: /srv/data becomes FOLDER/srv/data. Other users cannot enter it meanwhile.
   */
  folder: string;
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
/**
 * The file holdstill.json, the first one in an export: the record of the set, and what the export has of it.
 */
export interface ExportHeader {
  format: "holdstill-export";
  version: 1;
  /**
   * ISO 8601, UTC.
   */
  exportedAt: string;
  set: SnapshotSet;
  /**
   * One for each captured path. The parts of the first one are contents/0/00000000, contents/0/00000001, and so on: together they are a tar archive.
   */
  contents: ExportedContents[];
}
export interface ExportedContents {
  volumeId: string;
  /**
   * The path that was captured.
   */
  original: string;
  /**
   * folder: the archive has what is in the folder, and the folder itself as `.`. file: it has one entry, the file.
   */
  form: "folder" | "file";
  /**
   * The owners and modes of the folders above the path, the innermost first.
   */
  above: ExportedFolder[];
}
export interface ExportedFolder {
  path: string;
  uid: number;
  gid: number;
  mode: number;
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
 * A plugin that takes part, with everything that `abort` in a new worker needs.
 */
export interface Enlisted {
  who: PluginIdentity;
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
/**
 * The host votes for a set of several hosts. From here on only the verdict, or a withdrawal that came before it, decides.
 */
export interface VotedEntry {
  entry: "voted";
  set: SnapshotSet;
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
 * holdstill.lock.json, beside the config: the digests of every plugin that may be loaded.
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
   * SHA-256 over mode and content of every file and link in the folder, by its relative path.
   */
  files: {
    [k: string]: Digest;
  };
}
/**
 * plugin.json: what a plugin is, what it needs, and which contract versions it supports.
 */
export interface PluginManifest {
  $schema?: string;
  manifestVersion: 1;
  /**
   * Lower-case letters, digits, and hyphens.
   */
  name: string;
  /**
   * Semantic version. Several versions of a plugin may be installed side by side.
   */
  version: string;
  kind: "writer" | "provider";
  description?: string;
  /**
   * Contract versions that the plugin supports. The host uses the highest that both support.
   *
   * @minItems 1
   */
  protocol: number[];
  engines: {
    /**
     * Range of holdstill versions that the plugin runs on.
     */
    holdstill: string;
  };
  /**
   * `node`, the default: `main` is an ES module, and its default export is the plugin. `executable`: `main` is a program in any language, which speaks JSON-RPC on its stdin and stdout. It always runs in a process.
   */
  runtime?: "node" | "executable";
  /**
   * Path of the plugin's module or program, in its folder.
   */
  main: string;
  /**
   * JSON Schema (2020-12) of the plugin's options in the config, including defaults. An option with "writeOnly": true is a secret. The config may refer to it with {"env": NAME} or {"file": PATH}, and the plugin gets the value. The host removes it from everything that the plugin logs or returns. So never put a secret into a path, a name, or a freeze token.
   */
  options?: {
    [k: string]: unknown;
  };
  requires?: {
    /**
     * The programs that `ctx.exec` may run.
     */
    commands?: string[];
    /**
     * Further programs that `ctx.exec` may run, for calls that are optional. Without one of them the plugin is used all the same, and `ctx.exec` rejects with E_EXEC_MISSING.
     */
    optionalCommands?: string[];
    /**
     * JSON pointers to options that name a program, a folder of programs, or a file that names programs. Only root and the user who runs holdstill may be able to change these. `ctx.exec` then also runs programs by their absolute path, each after the same check.
     */
    programs?: string[];
    /**
     * Environment variables that the plugin gets beside PATH, HOME, LANG, and TZ.
     */
    environment?: string[];
  };
  /**
   * The kinds of volumes that a provider captures. `filesystem`, the default: mounted file systems. `block`: raw block devices.
   *
   * @minItems 1
   */
  volumes?: ("filesystem" | "block")[];
  /**
   * `thread`, the default, contains exceptions, loops, and most memory faults. `process` also contains native crashes and blocking system calls.
   */
  isolation?: "thread" | "process";
  limits?: {
    /**
     * Heap of the plugin's worker, MiB. For `executable`: the memory that the program may have for its data (RLIMIT_DATA).
     */
    memoryMb?: number;
    /**
     * Longest time that freeze may take, seconds. The config may lower it.
     */
    freezeSeconds?: number;
  };
  /**
   * How `doctor` and `init` recognize what this plugin is for. A writer's application is recognized by its processes, and a provider's storage by its volumes. The host reads only what the kernel reports, and runs no code of the plugin.
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
   * Sources of the data directory. The host uses the first that exists and has `contains`. Default: the working directory.
   *
   * @minItems 1
   */
  dataDir?: DataDirSource[];
  /**
   * A file or folder that every data directory of the application has, relative to it.
   */
  contains?: string;
  pidFile?: PidFile;
  /**
   * Regular expression for the file name of the Unix socket to connect to. Its named groups are placeholders for `suggests`.
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
 * A file in the data directory, in which the running application writes where it listens.
 */
export interface PidFile {
  path: string;
  /**
   * Placeholders, each with the number of its line, from 1. An empty line gives no value. `socketDir` must be an absolute path to count, and `address` may be `*`.
   */
  lines: {
    [k: string]: number;
  };
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
   * The options. A text in a writer's options may have placeholders: `${dataDir}`, `${socket}`, `${socketDir}`, `${unit}`, and the named groups of `socket`. `${name}` is the last part of the data directory. `${port}` is the lowest TCP port that the process listens on. `${host}` is `${socketDir}`, or else the address of `pidFile`. An option with a placeholder that has no value is left out, so that its default applies.
   */
  options?: {
    [k: string]: unknown;
  };
  /**
   * Options without which `init` writes the block only as a comment: their defaults would be a guess.
   *
   * @minItems 1
   */
  needs?: string[];
  setup?: SuggestedSetup;
}
/**
 * What `init` adds if the writer, as suggested, cannot identify its components.
 */
export interface SuggestedSetup {
  /**
   * Further options, such as an account. Placeholders are allowed.
   */
  options?: {
    [k: string]: unknown;
  };
  /**
   * What a person must do once for these options: lines of a comment. Placeholders are allowed.
   *
   * @minItems 1
   */
  steps: string[];
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
  capabilities?: CapabilityList;
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
  restorePlan?: RestorePlan;
  restored?: Restored;
  history?: HistoryList;
}
/**
 * The request.
 */
export interface SetRequest {
  /**
   * Absolute paths, mount points, mounted block devices, or `writer:INSTANCE`.
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
   * The lowest consistency that counts as success. Default: what the plan promises; at least crash, if a target is a writer.
   */
  require?: "application" | "filesystem" | "crash" | "none";
  /**
   * Also hold volumes that carry `/`, holdstill, or its state.
   */
  includeRoot?: boolean;
  repair?: RepairTime;
  lease?: Duration;
}
export interface PlanRequest {
  /**
   * Absolute paths, mount points, mounted block devices, or `writer:INSTANCE`.
   *
   * @minItems 1
   * @maxItems 256
   */
  targets: string[];
  /**
   * The lowest consistency that counts as success. Default: what the plan promises; at least crash, if a target is a writer.
   */
  require?: "application" | "filesystem" | "crash" | "none";
  /**
   * Also hold volumes that carry `/`, holdstill, or its state.
   */
  includeRoot?: boolean;
  repair?: RepairTime;
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
  command?: CommandEnd;
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
  contents?: RestoreContents;
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
   * The error's message.
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
  notCaptured?: NotCaptured;
  leftOut: LeftOutWriter[];
  warnings: string[];
  promised: Consistency;
  asked: Consistency;
}
export interface CapabilityList {
  capabilities: Capabilities;
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
  /**
   * Ids of snapshots that their providers did not list before: they may still exist. `recover` removes them once they are listed.
   */
  unseen?: string[];
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
 * `residue`: what could not be undone.
 */
export interface Recovered {
  done: Leftover[];
  residue: Residue[];
}
export interface PageAddress {
  /**
   * Address on 127.0.0.1, with a token that works once.
   */
  address: string;
}
export interface HistoryList {
  history: PastTransaction[];
}
/**
 * tombstones/SET.json in the state directory: snapshots of a deleted set that could not be seen when it was deleted. They may still exist.
 */
export interface Tombstone {
  tombstoneVersion: 1;
  id: SetId;
  /**
   * ISO 8601, UTC.
   */
  deletedAt: string;
  /**
   * @minItems 1
   */
  snapshots: RecordedSnapshot[];
}
