import type { Host } from "../../host/manifest/host.js";
import type { ReadManifest } from "../../host/manifest/validate.js";
import type { Fixture } from "../../base/schema/types.js";
import { Skip } from "../check.js";

export type Valid = Extract<ReadManifest, { state: "valid" }>;

/** A plugin's folder, and what the checks find out about it. */
export interface Folder {
  /** Real path. */
  readonly dir: string;
  readonly host: Host;
  /** A value, or the file that has it; null: conformance.json. */
  readonly given: Fixture | string | null;
  valid?: Valid;
  fixture?: Fixture;
}

export function validOf({ valid }: Folder): Valid {
  if (valid === undefined) throw new Skip("the manifest is not valid");
  return valid;
}

/** A plugin whose folder is in order. */
export interface CheckedSubject {
  dir: string;
  valid: Valid;
  /** As it was written. */
  fixture: Fixture;
}
