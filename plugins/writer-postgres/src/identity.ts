import { statSync } from "node:fs";
import path from "node:path";
import { codeOf } from "#kit/plugin-error.js";
import { type Control, readControl } from "./control.js";
import { PluginError } from "./errors.js";

/** unreadable: this process may not read the data directory, so nothing is proven. uid: whose server it is. */
type Proof = { readonly state: "proven"; readonly uid: number } | { readonly state: "unreadable" };

/**
 * Proves that what a server reports about its folders is true of this machine's: a server in a container may have others at the same
 * paths.
 *
 * @param folders The data directory, and then those of the WAL and of the tablespaces.
 * @throws PG_NOT_LOCAL
 */
export function proveFolders(systemIdentifier: string, [dataDir = "", ...others]: readonly string[]): Proof {
  const control = controlOf(dataDir);
  if (control === undefined) return { state: "unreadable" };
  if (control.systemIdentifier !== systemIdentifier) {
    const seen = `the server has system identifier ${systemIdentifier}, but ${dataDir} is of ${control.systemIdentifier}`;
    throw notLocal(`${dataDir} belongs to another cluster: ${seen}`);
  }
  const { uid } = statSync(dataDir);
  if (uid === 0) throw notLocal(`${dataDir} belongs to root, and PostgreSQL does not run as root`);
  for (const folder of others) {
    // A server refuses a tablespace that is not its user's (src/backend/commands/tablespace.c), and cannot write WAL elsewhere. Its user
    // may put a link to any other folder there, which a restore would replace.
    if (statSync(folder).uid !== uid)
      throw notLocal(`${folder} does not belong to the user of ${dataDir}, so it is not this server's`);
  }
  return { state: "proven", uid };
}

function controlOf(dataDir: string): Control | undefined {
  try {
    return readControl(path.join(dataDir, "global/pg_control"));
  } catch (error) {
    if (codeOf(error) === "EACCES") return undefined;
    throw new PluginError("PG_NOT_LOCAL", `${dataDir} has no readable global/pg_control`, hint, { cause: error });
  }
}

const hint =
  "If the server runs in a container, give it its folders at the same paths as on this machine, or run holdstill in it.";

function notLocal(message: string): PluginError {
  return new PluginError("PG_NOT_LOCAL", message, hint);
}
