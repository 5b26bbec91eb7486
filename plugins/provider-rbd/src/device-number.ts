import { readFileSync } from "node:fs";
import path from "node:path";

/** major:minor of a block device, from its name (Documentation/ABI/testing/sysfs-block). */
export const deviceNumber = (node: string): string =>
  readFileSync(path.join("/sys/block", path.basename(node), "dev"), "utf8").trim();
