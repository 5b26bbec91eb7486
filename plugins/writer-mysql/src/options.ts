/** The instance's config block, as plugin.json describes it. */
export interface Options {
  socket: string;
  host?: string;
  port: number;
  tls: "verify" | "off";
  caFile?: string;
  user: string;
  passwordFile?: string;
  lockSeconds: number;
  killBlockers: boolean;
  repair: "none" | "fork" | "always";
  /** Default: by the size of the redo log. */
  repairMemoryMb?: number;
  serverBinary?: string;
  serverArguments: string[];
  verify: "start" | "tables" | "checksums";
}

/** The server as messages name it; never with the password. */
export function address({ socket, host, port, user }: Options): string {
  return `the server at ${host === undefined ? socket : `${host} port ${port}`} (account ${user})`;
}
