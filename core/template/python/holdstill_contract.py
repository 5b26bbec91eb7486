"""The values of the contract, and its methods. Made by holdstill from its schemas: do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class Component(TypedDict):
    """Something that a writer owns, such as a database cluster or a group of files."""

    name: str
    kind: Literal["database", "files", "logs", "device"]
    paths: list[str]
    exclude: NotRequired[list[str]]
    tolerates: Literal["point-in-time", "fuzzy"]
    level: NotRequired[Literal["front-end", "back-end", "system"]]
    repair: NotRequired[Literal["none", "fork", "always"]]
    notCovered: NotRequired[str]
    method: NotRequired[ComponentMethod]
    facts: NotRequired[dict[str, Any]]


ComponentMethod = TypedDict(
    "ComponentMethod",
    {
        "atomic": "NotRequired[str]",
        "per-volume": "NotRequired[str]",
        "fuzzy": "NotRequired[str]",
    },
)


class PrepareTransaction(TypedDict):
    """A transaction as `prepare` of a writer sees it."""

    id: str
    cut: Cut
    label: NotRequired[SetLabel]
    components: list[Component]
    sidecarDir: str
    freezeLimitMs: float


class SetLabel(TypedDict):
    """How a set is labelled. A property that is not known is absent."""

    name: NotRequired[str]
    tags: NotRequired[dict[str, str]]
    hostname: str
    retainUntil: NotRequired[str]


class FreezeTransaction(TypedDict):
    """A transaction as `freeze` sees it."""

    id: str
    cut: Cut
    label: NotRequired[SetLabel]
    components: list[Component]
    sidecarDir: str
    freezeDeadline: float


class WriterTransaction(TypedDict):
    """A transaction as a writer sees it."""

    id: str
    cut: Cut
    label: NotRequired[SetLabel]
    components: list[Component]
    sidecarDir: str


class ThawReport(TypedDict):
    uninterrupted: bool
    reason: NotRequired[str]
    facts: NotRequired[dict[str, Any]]


class Sidecar(TypedDict):
    """What a writer keeps with the set: files that it wrote to `tx.sidecarDir`, and facts."""

    files: list[str]
    facts: NotRequired[dict[str, Any]]


class SnapshotSet(TypedDict):
    """The record of one transaction: what was captured, the consistency that was reached, and the proof."""

    recordVersion: int
    id: SetId
    name: NotRequired[str]
    tags: dict[str, str]
    createdAt: str
    sequence: NotRequired[int]
    clockDoubt: NotRequired[ClockDoubt]
    host: str
    holdstill: str
    targets: list[str]
    cut: Cut
    asked: Consistency
    consistency: Consistency
    frozenMs: float
    components: list[RecordedComponent]
    writers: list[RecordedWriter]
    volumes: list[Volume]
    snapshots: list[RecordedSnapshot]
    notCaptured: NotRequired[list[str]]
    timeline: list[Span]
    hold: NotRequired[RecordedHold]
    cluster: NotRequired[RecordedCluster]
    exposed: NotRequired[list[RecordedExposure]]
    restoring: NotRequired[UnfinishedRestore]
    exposedAt: NotRequired[str]
    imported: NotRequired[ImportMark]
    lease: NotRequired[LeaseMark]
    requester: NotRequired[RequesterMark]
    retainUntil: NotRequired[str]
    verified: NotRequired[list[Verification]]
    outcome: NotRequired[RecordedOutcome]


class ClockDoubt(TypedDict):
    type: Literal["back", "forward"]
    expected: str


class RecordedComponent(TypedDict):
    writer: str | None
    component: Component
    volumes: list[str]
    consistency: Consistency
    reason: NotRequired[str]


class RecordedWriter(TypedDict):
    by: PluginRef
    policy: Literal["required", "best-effort"]
    state: Literal["frozen", "degraded", "left-out"]
    reason: NotRequired[str]
    frozen: NotRequired[FrozenSpan]
    facts: NotRequired[dict[str, Any]]
    repair: NotRequired[Repair]
    sidecar: NotRequired[RecordedSidecar]


class PluginRef(TypedDict):
    instance: str
    plugin: str
    version: str


class FrozenSpan(TypedDict):
    """ms from the start of the transaction."""

    since: float
    until: float


Repair = TypedDict(
    "Repair",
    {
        "state": "Literal['repaired', 'failed', 'passed-over', 'pending']",
        "in": "list[str]",
        "reason": "NotRequired[str]",
        "facts": "NotRequired[dict[str, Any]]",
    },
)


class RecordedSidecar(TypedDict):
    dir: str
    files: list[SidecarFile]


class SidecarFile(TypedDict):
    path: str
    bytes: int
    sha256: str


class Volume(TypedDict):
    """What is captured as a whole: a mounted file system, or a raw block device. A provider is asked only for the kinds that `volumes` of its manifest names."""

    kind: NotRequired[Literal["filesystem", "block"]]
    id: str
    mountPoint: NotRequired[str]
    fsType: NotRequired[str]
    source: NotRequired[str]
    root: NotRequired[str]
    devices: list[BlockDevice]
    paths: list[str]
    exclude: NotRequired[list[str]]


class BlockDevice(TypedDict):
    name: str
    number: str
    kind: Literal["disk", "partition", "lvm", "crypt", "multipath", "dm", "loop", "raid"]
    label: NotRequired[str]
    uuid: NotRequired[str]
    sizeBytes: int
    lower: list[str]


class RecordedSnapshot(TypedDict):
    by: PluginRef
    snapshot: Snapshot
    removalAt: NotRequired[str]


class Snapshot(TypedDict):
    id: str
    of: NotRequired[str]
    setId: str
    volumeId: str
    createdAt: str
    bytes: NotRequired[int]
    method: NotRequired[str]
    state: NotRequired[Literal["creating", "ready"]]
    usage: NotRequired[Usage]
    volume: NotRequired[Volume]
    pointInTime: NotRequired[bool]
    lost: NotRequired[str]
    unseen: NotRequired[str]
    facts: NotRequired[dict[str, Any]]


class Usage(TypedDict):
    """Current usage of the space in which changes are stored. Only `list` returns it."""

    percent: float
    where: str


Span = TypedDict(
    "Span",
    {
        "op": "str",
        "actor": "str",
        "from": "float",
        "to": "float",
        "limitMs": "float",
        "outcome": "Literal['ok', 'failed']",
        "reason": "NotRequired[str]",
    },
)


class RecordedHold(TypedDict):
    """The proof that the kernel held all targets while the snapshot was taken. Times are ms from the start of the transaction."""

    heldMs: float
    targets: list[HeldTarget]


HeldTarget = TypedDict(
    "HeldTarget",
    {
        "target": "HoldTarget",
        "from": "float",
        "to": "float",
    },
)


class HoldTarget(TypedDict):
    kind: Literal["dm", "fs"]
    name: NotRequired[DmName]
    mount: NotRequired[str]


class RecordedCluster(TypedDict):
    """The set spans several hosts, and has this id on each of them. This is what a proof of the shared instant needs."""

    self: str
    key: str
    instant: Literal["atomic", "unproven"]
    verdictRevision: int
    parts: list[ClusterPart]


class ClusterPart(TypedDict):
    """What one host states of itself. Its times are its own: CLOCK_MONOTONIC since its boot, ms. They cannot be compared with those of other hosts. Revisions can: they are those of the cluster's log."""

    host: str
    bootId: str
    clusterId: str
    consistency: Consistency
    taken: ClusterMoment
    seen: ClusterMoment
    hold: ClusterHold | None


class ClusterMoment(TypedDict):
    at: float
    revision: int


class ClusterHold(TypedDict):
    heldAt: float
    releaseAt: float


class RecordedExposure(TypedDict):
    by: str
    snapshot: str
    exposed: Exposed


class Exposed(TypedDict):
    """The paths at which a snapshot can be read. Of a file system: at least one tree, and no device. Of a raw block device: one device, and no tree."""

    trees: list[ExposedTree]
    devices: NotRequired[list[ExposedDevice]]
    readOnly: bool


class ExposedTree(TypedDict):
    original: str
    path: str


class ExposedDevice(TypedDict):
    """Users other than root and the group of the original cannot read it."""

    original: str
    path: str


class UnfinishedRestore(TypedDict):
    """Of a restore that is under way, or whose process died."""

    exposure: Literal["kept", "temporary"]
    drafts: list[RestoreDraft]


class RestoreDraft(TypedDict):
    """A copy that has not taken its place. It is recorded before it is made."""

    path: str
    inode: NotRequired[str]


class ImportMark(TypedDict):
    """Of a set that another host has taken: `host` is that one, and the snapshots are of this host."""

    at: str
    sha256: str


class LeaseMark(TypedDict):
    """The process that holds a lock on the lease's file."""

    id: str
    pid: int
    since: str


class RequesterMark(TypedDict):
    """A process, as the kernel reported it when it connected."""

    uid: int
    gid: int
    pid: int
    executable: NotRequired[str]


class Verification(TypedDict):
    writer: NotRequired[str]
    at: str
    result: Literal["opens", "does-not-open", "not-examined"]
    reason: NotRequired[str]
    facts: NotRequired[dict[str, Any]]
    device: NotRequired[str]


class RecordedOutcome(TypedDict):
    """The result of the backup, as it was reported."""

    succeeded: bool
    type: Literal["copy", "full"]
    command: NotRequired[CommandEnd]
    at: str


class CommandEnd(TypedDict):
    """How the command of `run` ended."""

    exitCode: int
    signal: str | None


class BackupOutcome(TypedDict):
    """How the backup from a set ended, as the requester reports it."""

    succeeded: bool
    type: Literal["copy", "full"]


class Report(TypedDict):
    """The result of repair."""

    ok: bool
    reason: NotRequired[str]
    facts: NotRequired[dict[str, Any]]


class VerifyReport(TypedDict):
    """The result of verify. `opens`: the application opened the contents, and every check passed. `does-not-open`: the contents are damaged. `not-examined`: the contents may be good, but the application could not be started on them, or not be asked."""

    result: Literal["opens", "does-not-open", "not-examined"]
    facts: NotRequired[dict[str, Any]]
    reason: NotRequired[str]


class Qualities(TypedDict):
    pointInTime: bool
    group: NotRequired[str]
    consistency: NotRequired[Literal["crash", "filesystem"]]
    hold: NotRequired[list[HoldTarget]]
    space: NotRequired[Space]
    revert: NotRequired[bool]
    writable: NotRequired[bool]
    method: NotRequired[str]
    where: NotRequired[str]


class Space(TypedDict):
    """The place for the snapshot, as far as that can be found out quickly. If the volumes of one set need more than is free, or more snapshots than are allowed, the plan is refused."""

    pool: NotRequired[str]
    neededBytes: NotRequired[int]
    freeBytes: NotRequired[int]
    fork: NotRequired[Literal["shares", "copies"]]
    snapshots: NotRequired[SnapshotCount]


class SnapshotCount(TypedDict):
    """How many snapshots there may be, and how many there are."""

    limit: int
    used: int


class Transaction(TypedDict):
    """The transaction that a plugin takes part in."""

    id: str
    cut: Cut
    label: NotRequired[SetLabel]


class CriticalSection(TypedDict):
    """The result of a provider's prepare: what is to be held, and the steps that are done in that time."""

    hold: list[HoldTarget]
    commit: list[CommitOp]


class CommitOp(TypedDict):
    """One step of the commit, done while everything is held. The keeper makes the kernel calls in the given order. Devices have their device-mapper names. `parallel`: independent chains of steps, such as those of several volumes. Each chain keeps its order, and the waits of the kernel overlap. `plugin`: the commit cannot be data. The host calls `provider.commit()` after all kernel calls."""

    op: Literal["plugin", "parallel", "dm-message", "dm-load", "dm-create", "dm-resume", "dm-remove", "btrfs-snapshot"]
    chains: NotRequired[list[list[CommitOp]]]
    device: NotRequired[DmName]
    sector: NotRequired[int]
    message: NotRequired[str]
    table: NotRequired[list[DmTarget]]
    uuid: NotRequired[str]
    subvolume: NotRequired[str]
    folder: NotRequired[str]
    name: NotRequired[str]
    writable: NotRequired[bool]


class DmTarget(TypedDict):
    """One line of a device-mapper table; start and length in sectors of 512 bytes."""

    start: int
    length: int
    type: str
    params: str


class View(TypedDict):
    """How a snapshot is to be exposed."""

    access: Literal["read-only", "scratch", "writable"]
    at: str


Difference = TypedDict(
    "Difference",
    {
        "from": "str",
        "to": "str",
        "sizeBytes": "int",
        "data": "list[int]",
        "holes": "list[int]",
    },
)


class Place(TypedDict):
    """A place for the contents of a volume."""

    volumeId: str
    folder: str


class Initialize(TypedDict):
    """The params of `initialize`, the first request to a program."""

    role: Literal["writer", "provider"]
    options: dict[str, Any]
    dataDir: str
    protocol: float
    host: HostInfo


class HostInfo(TypedDict):
    """The host, as a plugin sees it."""

    version: str


class Initialized(TypedDict):
    """The result of `initialize`."""

    methods: list[str]


class CallContext(TypedDict):
    """The parameter `context` of each method."""

    call: float
    limitMs: float


class ErrorData(TypedDict):
    """What `data` of an error object has, in both directions."""

    code: NotRequired[str]
    hint: NotRequired[str]
    stack: NotRequired[str]


class ExecRequest(TypedDict):
    """The params of `exec`, the request of a program that the host runs another one: `Context.exec`."""

    call: float
    command: str
    args: NotRequired[list[str]]
    options: NotRequired[ExecOptions]


class ExecOptions(TypedDict):
    """How a program is run, for the core itself and for plugins (`ctx.exec`)."""

    cwd: NotRequired[str]
    input: NotRequired[str]
    env: NotRequired[dict[str, str]]
    limitMs: NotRequired[float]
    leftovers: NotRequired[Literal["end", "keep", "leave"]]
    writable: NotRequired[list[str]]
    priority: NotRequired[Literal["background"]]


class ExecResult(TypedDict):
    """A program that ended. A non-zero exit code is a result, not an exception."""

    exitCode: float | None
    stdout: str
    stderr: str


class LogMessage(TypedDict):
    """The params of the notification `log`: `Context.log`."""

    level: Literal["debug", "info", "warn", "error"]
    message: str
    fields: NotRequired[dict[str, Any]]


class Progress(TypedDict):
    """The params of the notification `progress`: `Context.progress`."""

    message: str
    done: NotRequired[float]
    total: NotRequired[float]


Components: TypeAlias = "list[Component]"
Cut: TypeAlias = "Literal['atomic', 'per-volume', 'fuzzy']"
SetId: TypeAlias = "str"
Consistency: TypeAlias = "Literal['application', 'filesystem', 'crash', 'none']"
DmName: TypeAlias = "str"
Support: TypeAlias = "Qualities | None"
Snapshots: TypeAlias = "list[Snapshot]"
Listed: TypeAlias = "Any"
Places: TypeAlias = "list[Place]"

# The parameters of each method, by the kind of plugin. `ctx` comes after them.
WRITER: dict[str, tuple[str, ...]] = {
    # identify(ctx) -> Components
    "identify": (),
    # prepare(tx: PrepareTransaction, ctx) -> None
    "prepare": ("tx",),
    # freeze(tx: FreezeTransaction, ctx) -> Any
    "freeze": ("tx",),
    # thaw(tx: WriterTransaction, token: Any, ctx) -> ThawReport
    "thaw": ("tx", "token"),
    # seal(tx: WriterTransaction, ctx) -> Sidecar
    "seal": ("tx",),
    # complete(set: SnapshotSet, outcome: BackupOutcome, ctx) -> None
    "complete": ("set", "outcome"),
    # abort(tx: WriterTransaction, token: Any, ctx) -> None
    "abort": ("tx", "token"),
    # beforeRestore(set: SnapshotSet, ctx) -> None
    "beforeRestore": ("set",),
    # afterRestore(set: SnapshotSet, ctx) -> None
    "afterRestore": ("set",),
    # repair(tx: WriterTransaction, exposed: Exposed, ctx) -> Report
    "repair": ("tx", "exposed"),
    # verify(tx: WriterTransaction, exposed: Exposed, ctx) -> VerifyReport
    "verify": ("tx", "exposed"),
}
PROVIDER: dict[str, tuple[str, ...]] = {
    # match(volume: Volume, ctx) -> Support
    "match": ("volume",),
    # prepare(tx: Transaction, volumes: list[Volume], ctx) -> CriticalSection
    "prepare": ("tx", "volumes"),
    # commit(tx: Transaction, ctx) -> None
    "commit": ("tx",),
    # seal(tx: Transaction, ctx) -> Snapshots
    "seal": ("tx",),
    # abort(tx: Transaction, ctx) -> None
    "abort": ("tx",),
    # list(ctx) -> Listed
    "list": (),
    # expose(snapshot: Snapshot, view: View, ctx) -> Exposed
    "expose": ("snapshot", "view"),
    # unexpose(snapshot: Snapshot, ctx) -> None
    "unexpose": ("snapshot",),
    # remove(snapshot: Snapshot, ctx) -> None
    "remove": ("snapshot",),
    # fork(snapshot: Snapshot, ctx) -> Snapshot
    "fork": ("snapshot",),
    # preserve(snapshot: Snapshot, tx: Transaction, ctx) -> Snapshot
    "preserve": ("snapshot", "tx"),
    # revert(snapshot: Snapshot, ctx) -> None
    "revert": ("snapshot",),
    # diff(from: Snapshot, to: Snapshot, ctx) -> Difference
    "diff": ("from", "to"),
    # receive(tx: Transaction, volumes: list[Volume], ctx) -> Places
    "receive": ("tx", "volumes"),
}
