/** The instance's config block, as plugin.json describes it. */
export interface Options {
  socket: string;
  nodeSocket?: string;
  driver?: string;
  kubelet: string;
  volumes: readonly MappedVolume[];
  groups: "auto" | "never";
  nodeDir?: string;
  secrets: readonly { readonly name: string; readonly value: string }[];
  snapshotParameters: Record<string, string>;
  volumeParameters: Record<string, string>;
}

/** Which volume of the driver is which file system of this host. */
export type MappedVolume = { readonly volumeId: string } & ({ readonly mount: string } | { readonly device: string });
