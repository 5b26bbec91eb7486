const MiB = 2 ** 20;
/** PostgreSQL's and MariaDB's own default, bytes. */
export const leastRepairMemory = 128 * MiB;
const most = 2048 * MiB;

/**
 * Memory for the pages that a repair changes, bytes. A page that does not fit is written and read again for each of its later changes,
 * so that too little costs ten times the writing. A server takes only as much as it uses. The limit is a quarter of what is available
 * to this process, in which the limits of its cgroups count (process.availableMemory), and 2 GiB.
 *
 * @param pages What the redo is expected to change, bytes.
 * @param available For tests, bytes.
 */
export function repairMemory(pages: number, available = process.availableMemory()): number {
  const wanted = Math.min(pages, available / 4, most);
  return Math.ceil(Math.max(wanted, leastRepairMemory) / MiB) * MiB;
}
