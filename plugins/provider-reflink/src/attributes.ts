import type { CpMessage } from "./complaints.js";
import { PluginError } from "./errors.js";

/** Extended attributes that the copies do not have. cp does not report of which files. */
export interface LostAttributes {
  /** A file with several names counts as often. */
  count: number;
  names: string[];
}

type LostAttribute = Extract<CpMessage, { kind: "attribute" }>;

/** strerror(3) of ENOTSUP, in the C locale. */
const UNSUPPORTED = "Operation not supported";

/**
 * What the copies lack, as the record has it. A store may be unable to take an attribute of the system, or a large one: ext4 has space
 * for one block of them in a file. One that takes none of the users' attributes is refused.
 *
 * @throws PluginError STORE
 */
export function lostIn(messages: readonly CpMessage[], store: string): LostAttributes | null {
  const lost = messages.filter((message): message is LostAttribute => message.kind === "attribute");
  const refused = lost.find(({ name, reason }) => name.startsWith("user.") && reason === UNSUPPORTED);
  if (refused !== undefined)
    throw new PluginError(
      "STORE",
      `The file system of ${store} takes no extended attributes, and a file has ${refused.name}.`,
      "Give a folder on ext4, XFS, or btrfs with the option `store`.",
    );
  return lost.length === 0 ? null : { count: lost.length, names: [...new Set(lost.map(({ name }) => name))] };
}
