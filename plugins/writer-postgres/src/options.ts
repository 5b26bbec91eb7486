/** The instance's config block, as plugin.json describes it. */
export interface Options {
  host: string;
  port: number;
  user: string;
  database: string;
  passwordFile?: string;
  tls: "off" | "verify";
  /** Certificates that the server's may be signed by; default: those that Node trusts. */
  caFile?: string;
  checkpoint: "spread" | "fast" | "none";
  /** Before an atomic cut: WAL since the last checkpoint that is worth one, bytes. */
  checkpointAboveBytes: number;
  repair: "none" | "fork" | "always";
  /** shared_buffers of a server on a snapshot, MiB; default: by the WAL that it replays. */
  repairMemoryMb?: number;
  /** Folder of the server's programs; default: where the running server's are. */
  binDir?: string;
  /** What verify does beside starting a server and writing. */
  verify: ("checksums" | "amcheck")[];
  /** After a restore: recovery from the archive goes to this point, and no further. */
  restoreTo?: RestoreTo;
}

/** As the manual's restore_command and recovery_target_…; one target, or none for all that the archive has. */
export interface RestoreTo {
  command: string;
  time?: string;
  xid?: string;
  lsn?: string;
  name?: string;
}

/** The server as messages name it; never with the password. */
export function address({ host, port, user }: Options): string {
  return `PostgreSQL at ${host} port ${port} (role ${user})`;
}
