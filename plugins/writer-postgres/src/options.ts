/** The instance's config block, as plugin.json describes it. */
export interface Options {
  host: string;
  port: number;
  user: string;
  database: string;
  passwordFile?: string;
  checkpoint: "spread" | "fast" | "none";
  /** Before an atomic cut: WAL since the last checkpoint that is worth one, bytes. */
  checkpointAboveBytes: number;
  autoRecover: boolean | "pristine";
  /** Folder of the server's programs; default: where the running server's are. */
  binDir?: string;
  /** What verify does beside starting a server and writing. */
  verify: ("checksums" | "amcheck")[];
}

/** The server as messages name it; never with the password. */
export function address({ host, port, user }: Options): string {
  return `PostgreSQL at ${host} port ${port} (role ${user})`;
}
