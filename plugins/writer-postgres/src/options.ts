/** The instance's config block, as plugin.json describes it. */
export interface Options {
  host: string;
  port: number;
  user: string;
  database: string;
  passwordFile?: string;
  checkpoint: "spread" | "fast" | "none";
}

/** The server as messages name it; never with the password. */
export function address({ host, port, user }: Options): string {
  return `PostgreSQL at ${host} port ${port} (role ${user})`;
}
