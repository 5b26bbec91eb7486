import type { Folder } from "./folder.js";

const file = "postgresql.auto.conf";
const aside = "postgresql.auto.conf.holdstill";

/**
 * Does the work while the settings in the data directory, which a server reads whatever its config_file is, are put aside: any of them
 * may keep a server from starting here, or lead it elsewhere. They are put back, whatever happens.
 */
export async function withoutOwnSettings<T>(folder: Folder, work: () => Promise<T>): Promise<T> {
  folder.rename(file, aside);
  try {
    return await work();
  } finally {
    folder.remove(file);
    folder.rename(aside, file);
  }
}
