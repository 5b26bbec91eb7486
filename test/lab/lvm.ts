import { existsSync } from "node:fs";
import path from "node:path";
import { fetchLvm } from "./debian.js";
import { cacheFolder, NoKernel } from "./kernels.js";

/** Versions of LVM, and the Debian suite that each one is of. The host's own needs none. */
const suites = new Map([
  ["2.03.11", "bullseye"],
  ["2.03.31", "trixie"],
]);

/** The root of that LVM's files, fetched from Debian's mirror where it is not in the cache. Fails with NoKernel. */
export function findLvm(version: string): string {
  const suite = suites.get(version);
  if (suite === undefined)
    throw new NoKernel(`there is no LVM ${version} beside the host's; there are ${[...suites.keys()].join(", ")}`);
  const folder = path.join(cacheFolder(), `lvm-${version}`);
  try {
    if (!existsSync(folder)) fetchLvm(suite, folder);
  } catch (error) {
    throw new NoKernel(error instanceof Error ? error.message : String(error), { cause: error });
  }
  return folder;
}
