/** The requests and answers of the driver, as csi.proto describes them. A field that an answer does not have is empty, or null. */
export interface Calls {
  GetPluginInfo: [request: Empty, answer: { name: string; vendorVersion: string }];
  GetPluginCapabilities: [request: Empty, answer: { capabilities: { service: { type: string } | null }[] }];
  Probe: [request: Empty, answer: { ready: { value: boolean } | null }];
  ControllerGetCapabilities: [request: Empty, answer: RpcCapabilities];
  CreateVolume: [request: CreateVolume, answer: { volume: Volume | null }];
  DeleteVolume: [request: { volumeId: string } & Authorized, answer: Empty];
  ValidateVolumeCapabilities: [
    request: { volumeId: string; volumeContext: Text; volumeCapabilities: VolumeCapability[] } & Authorized,
    answer: Empty,
  ];
  ControllerPublishVolume: [
    request: OfVolume & { nodeId: string; readonly: boolean } & Authorized,
    answer: { publishContext: Text },
  ];
  ControllerUnpublishVolume: [request: { volumeId: string; nodeId: string } & Authorized, answer: Empty];
  CreateSnapshot: [
    request: { sourceVolumeId: string; name: string; parameters: Text } & Authorized,
    answer: { snapshot: DriverSnapshot | null },
  ];
  DeleteSnapshot: [request: { snapshotId: string } & Authorized, answer: Empty];
  ListSnapshots: [
    request: { snapshotId: string } & Authorized,
    answer: { entries: { snapshot: DriverSnapshot | null }[] },
  ];
  GetSnapshot: [request: { snapshotId: string } & Authorized, answer: { snapshot: DriverSnapshot | null }];
  GroupControllerGetCapabilities: [request: Empty, answer: RpcCapabilities];
  CreateVolumeGroupSnapshot: [
    request: { name: string; sourceVolumeIds: string[]; parameters: Text } & Authorized,
    answer: GroupAnswer,
  ];
  DeleteVolumeGroupSnapshot: [request: OfGroup & Authorized, answer: Empty];
  GetVolumeGroupSnapshot: [request: OfGroup & Authorized, answer: GroupAnswer];
  NodeGetCapabilities: [request: Empty, answer: RpcCapabilities];
  NodeGetInfo: [request: Empty, answer: { nodeId: string; accessibleTopology: Topology | null }];
  NodeStageVolume: [
    request: OfVolume & { publishContext: Text; stagingTargetPath: string } & Authorized,
    answer: Empty,
  ];
  NodeUnstageVolume: [request: { volumeId: string; stagingTargetPath: string }, answer: Empty];
  NodePublishVolume: [
    request: OfVolume & {
      publishContext: Text;
      stagingTargetPath?: string;
      targetPath: string;
      readonly: boolean;
    } & Authorized,
    answer: Empty,
  ];
  NodeUnpublishVolume: [request: { volumeId: string; targetPath: string }, answer: Empty];
}
export type Method = keyof Calls;

/** No field that is used here. */
type Empty = Record<string, never>;
export type Text = Record<string, string>;

interface Authorized {
  secrets: Text;
}

interface RpcCapabilities {
  capabilities: { rpc: { type: string } | null }[];
}

export interface Topology {
  segments: Text;
}

export type VolumeCapability = { accessMode: { mode: "SINGLE_NODE_WRITER" } } & (
  | { block: Empty }
  | { mount: { fsType: string; mountFlags: string[] } }
);

export type ContentSource = { snapshot: { snapshotId: string } } | { volume: { volumeId: string } };

interface CreateVolume extends Authorized {
  name: string;
  capacityRange: { requiredBytes: number };
  volumeCapabilities: VolumeCapability[];
  parameters: Text;
  volumeContentSource?: ContentSource;
  accessibilityRequirements?: { requisite: Topology[]; preferred: Topology[] };
}

/** A volume of the driver. What is in the context is for its node service. */
export interface Volume {
  volumeId: string;
  volumeContext: Text;
}

interface OfVolume extends Volume {
  volumeCapability: VolumeCapability;
}

interface OfGroup {
  groupSnapshotId: string;
  snapshotIds: string[];
}

export interface DriverSnapshot {
  snapshotId: string;
  sourceVolumeId: string;
  /** The least size of a volume that is made from it; 0: not known. */
  sizeBytes: number;
  creationTime: { seconds: number; nanos: number } | null;
  /** Whether a volume can be made from it. It was cut in any case. */
  readyToUse: boolean;
}

interface GroupAnswer {
  groupSnapshot: { groupSnapshotId: string; snapshots: DriverSnapshot[]; readyToUse: boolean } | null;
}
