import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import type { Calls, DriverSnapshot, Method } from "@holdstill/provider-csi/dist/messages.js";
import type { Script } from "./script.js";
import * as disk from "./storage.js";
import type { Storage, StoredSnapshot } from "./storage.js";

/** A request that the driver does not do. */
export interface Refusal {
  readonly code: status;
  readonly details: string;
}
export const isRefusal = (error: unknown): error is Refusal =>
  typeof error === "object" &&
  error !== null &&
  "code" in error &&
  typeof error.code === "number" &&
  "details" in error;

class Refused extends Error implements Refusal {
  readonly code: status;
  readonly details: string;
  constructor(code: status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}
type Methods = {
  readonly [M in Method]: (request: Calls[M][0], storage: Storage, script: Script) => Awaitable<Partial<Calls[M][1]>>;
};
type Awaitable<T> = T | Promise<T>;

const types = (names: readonly string[], { lacks = [] }: Script): string[] =>
  names.filter((name) => !lacks.includes(name));
const rpcs = (names: readonly string[], script: Script): Calls["NodeGetCapabilities"][1] => ({
  capabilities: types(names, script).map((type) => ({ rpc: { type } })),
});

export const methods: Methods = {
  GetPluginInfo: () => ({ name: "csi.test.holdstill", vendorVersion: "1.0.0" }),
  Probe: (_, __, { ready = true }) => ({ ready: { value: ready } }),
  GetPluginCapabilities: (_, __, script) => ({
    capabilities: types(
      ["CONTROLLER_SERVICE", "GROUP_CONTROLLER_SERVICE", "VOLUME_ACCESSIBILITY_CONSTRAINTS"],
      script,
    ).map((type) => ({ service: { type } })),
  }),
  ControllerGetCapabilities: (_, __, script) =>
    rpcs(
      [
        "CREATE_DELETE_VOLUME",
        "PUBLISH_UNPUBLISH_VOLUME",
        "CREATE_DELETE_SNAPSHOT",
        "LIST_SNAPSHOTS",
        "CLONE_VOLUME",
        "GET_SNAPSHOT",
      ],
      script,
    ),
  GroupControllerGetCapabilities: (_, __, script) => rpcs(["CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT"], script),
  NodeGetCapabilities: (_, __, script) => rpcs(["STAGE_UNSTAGE_VOLUME"], script),
  NodeGetInfo: () => ({ nodeId: "node-1", accessibleTopology: { segments: { "topology.test/host": "node-1" } } }),

  async CreateVolume({ name, capacityRange, volumeContentSource: source }, storage) {
    const known = storage.state.volumes.find((volume) => volume.name === name);
    const volumeId = known?.volumeId ?? storage.newId("vol");
    if (known === undefined) {
      const from = !source ? undefined : "snapshot" in source ? source.snapshot.snapshotId : source.volume.volumeId;
      const { snapshots, volumes } = storage.state;
      const isThere = [...snapshots.map((one) => one.snapshotId), ...volumes.map((one) => one.volumeId)];
      if (from !== undefined && !isThere.includes(from)) throw new Refused(status.NOT_FOUND, `no ${from}`);
      await storage.make(volumeId, capacityRange.requiredBytes, from);
      storage.state.volumes.push({ name: name, volumeId });
    }
    return { volume: { volumeId, capacityBytes: storage.sizeOf(volumeId), volumeContext: { made: "by the test" } } };
  },
  async DeleteVolume({ volumeId }, storage) {
    if (await disk.isUsed(storage.image(volumeId)))
      throw new Refused(status.FAILED_PRECONDITION, `${volumeId} is in use`);
    storage.discard(volumeId);
    storage.state.volumes = storage.state.volumes.filter((one) => one.volumeId !== volumeId);
    return {};
  },
  ValidateVolumeCapabilities({ volumeId }, { state }) {
    if (!state.volumes.some((one) => one.volumeId === volumeId)) throw new Refused(status.NOT_FOUND, `no ${volumeId}`);
    return {};
  },
  ControllerPublishVolume: ({ nodeId }) => {
    if (nodeId !== "node-1") throw new Refused(status.NOT_FOUND, `no node ${nodeId}`);
    return { publishContext: { attached: "yes" } };
  },
  ControllerUnpublishVolume: () => ({}),

  async CreateSnapshot({ name, sourceVolumeId }, storage, script) {
    const known = storage.state.snapshots.find((one) => one.name === name);
    if (known !== undefined && (known.sourceVolumeId !== sourceVolumeId || script.secondRequest === "is-refused"))
      throw new Refused(status.ALREADY_EXISTS, `${name} exists`);
    const repeat = script.secondRequest === "makes-another" ? undefined : known;
    return { snapshot: shown(repeat ?? (await cut(name, sourceVolumeId, "", storage, script))) };
  },
  DeleteSnapshot({ snapshotId }, storage) {
    const found = storage.state.snapshots.find((one) => one.snapshotId === snapshotId);
    if (found !== undefined && found.groupSnapshotId !== "")
      throw new Refused(status.INVALID_ARGUMENT, `${snapshotId} is part of a group`);
    drop([snapshotId], storage);
    return {};
  },
  GetSnapshot: ({ snapshotId }, storage) => ({ snapshot: shown(snapshotOf(snapshotId, storage)) }),
  ListSnapshots: ({ snapshotId }, { state }) => ({
    entries: state.snapshots
      .filter((each) => each.snapshotId === snapshotId)
      .map((each) => ({ snapshot: shown(each) })),
  }),

  async CreateVolumeGroupSnapshot({ name, sourceVolumeIds }, storage, script) {
    const { groups } = storage.state;
    const known = groups.find((group) => group.name === name);
    if (known !== undefined) {
      if (script.secondRequest === "is-refused") throw new Refused(status.ALREADY_EXISTS, `${name} exists`);
      return groupOf(known.groupSnapshotId, storage);
    }
    const groupSnapshotId = storage.newId("group");
    for (const [index, id] of sourceVolumeIds.entries()) {
      if (index > 0) await sleep(script.restMs ?? 0);
      await cut(`${name}-${index}`, id, groupSnapshotId, storage, script);
    }
    groups.push({ name, groupSnapshotId });
    const answer = groupOf(groupSnapshotId, storage);
    if (script.forgetsOne) answer.groupSnapshot?.snapshots.pop();
    return answer;
  },
  DeleteVolumeGroupSnapshot({ groupSnapshotId, snapshotIds }, storage) {
    const { state } = storage;
    const members = membersOf(groupSnapshotId, storage).map((each) => each.snapshotId);
    if (members.length > 0 && members.toSorted().join() !== snapshotIds.toSorted().join())
      throw new Refused(status.INVALID_ARGUMENT, `the group has ${members.join()}, and not ${snapshotIds.join()}`);
    drop(members, storage);
    state.groups = state.groups.filter((each) => each.groupSnapshotId !== groupSnapshotId);
    return {};
  },
  GetVolumeGroupSnapshot: ({ groupSnapshotId }, storage) => groupOf(groupSnapshotId, storage),

  async NodeStageVolume({ volumeId, stagingTargetPath, volumeCapability, publishContext }, storage, { lacks = [] }) {
    if (publishContext["attached"] !== "yes" && !lacks.includes("PUBLISH_UNPUBLISH_VOLUME"))
      throw new Refused(status.FAILED_PRECONDITION, `${volumeId} is not attached`);
    if (!("mount" in volumeCapability)) return {};
    const { fsType, mountFlags } = volumeCapability.mount;
    await disk.stage(storage.image(volumeId), stagingTargetPath, fsType, mountFlags);
    return {};
  },
  async NodeUnstageVolume({ stagingTargetPath }) {
    await disk.unstage(stagingTargetPath);
    return {};
  },
  async NodePublishVolume({ volumeId, stagingTargetPath = "", targetPath, volumeCapability }, storage) {
    if (!("mount" in volumeCapability)) await disk.bindDevice(storage.image(volumeId), targetPath);
    else if (stagingTargetPath !== "") await disk.bind(stagingTargetPath, targetPath);
    else {
      const { fsType, mountFlags } = volumeCapability.mount;
      mkdirSync(targetPath, { recursive: true });
      await disk.stage(storage.image(volumeId), targetPath, fsType, mountFlags);
    }
    return {};
  },
  async NodeUnpublishVolume({ volumeId, targetPath }, storage) {
    await disk.unbind(targetPath);
    await disk.detach(storage.image(volumeId));
    return {};
  },
};

async function cut(
  name: string,
  sourceVolumeId: string,
  groupSnapshotId: string,
  storage: Storage,
  script: Script,
): Promise<StoredSnapshot> {
  if (!storage.state.volumes.some(({ volumeId }) => volumeId === sourceVolumeId))
    throw new Refused(status.NOT_FOUND, `no ${sourceVolumeId}`);
  const snapshotId = storage.newId("snap");
  await storage.make(snapshotId, 0, sourceVolumeId);
  const cutAt = Date.now();
  const sizeBytes = storage.sizeOf(snapshotId);
  const readyAt = cutAt + (script.readyAfterMs ?? 0);
  const made = { name, snapshotId, sourceVolumeId, groupSnapshotId, sizeBytes, cutAt, readyAt };
  storage.state.snapshots.push(made);
  return made;
}

function drop(ids: readonly string[], storage: Storage): void {
  for (const id of ids) storage.discard(id);
  storage.state.snapshots = storage.state.snapshots.filter((one) => !ids.includes(one.snapshotId));
}

function snapshotOf(id: string, { state }: Storage): StoredSnapshot {
  const found = state.snapshots.find(({ snapshotId }) => snapshotId === id);
  if (found === undefined) throw new Refused(status.NOT_FOUND, `no ${id}`);
  return found;
}

const membersOf = (id: string, { state }: Storage): StoredSnapshot[] =>
  state.snapshots.filter(({ groupSnapshotId }) => groupSnapshotId === id);

function groupOf(groupSnapshotId: string, storage: Storage): Calls["GetVolumeGroupSnapshot"][1] {
  if (!storage.state.groups.some((one) => one.groupSnapshotId === groupSnapshotId))
    throw new Refused(status.NOT_FOUND, `no ${groupSnapshotId}`);
  const members = membersOf(groupSnapshotId, storage);
  const readyToUse = members.every(({ readyAt }) => readyAt <= Date.now());
  return { groupSnapshot: { groupSnapshotId, snapshots: members.map(shown), readyToUse } };
}

const shown = ({ snapshotId, sourceVolumeId, sizeBytes, cutAt, readyAt }: StoredSnapshot): DriverSnapshot => ({
  snapshotId,
  sourceVolumeId,
  sizeBytes,
  creationTime: { seconds: Math.floor(cutAt / 1000), nanos: 0 },
  readyToUse: readyAt <= Date.now(),
});
