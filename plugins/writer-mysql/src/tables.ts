import { type Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { PluginError } from "./errors.js";

/** The server's own schemas: their tables survive a crash, or are logs. */
const ownSchemas = ["mysql", "performance_schema", "sys", "information_schema"];

/** By the file that holds a table's rows. Aria's tables have a log, but one statement after the other, not one instant. */
const unloggedBy: Readonly<Record<string, string>> = {
  ".MYD": "MyISAM",
  ".MAD": "Aria",
  ".CSV": "CSV",
  ".ARZ": "ARCHIVE",
};

export interface TableSurvey {
  /** Names of the engines, in order. */
  readonly unlogged: readonly string[];
  /** Folders outside that symbolic links lead to: of databases, or of tables with DATA DIRECTORY. */
  readonly linked: readonly string[];
}

/**
 * Goes by the names of the files, because the server shows an account only those tables that it has a right on: no MyISAM tables
 * could mean that the account may not see them.
 */
export async function surveyTables(dataDir: string): Promise<TableSurvey> {
  const unlogged = new Set<string>();
  const linked = new Set<string>();
  for (const schema of await entries(dataDir)) {
    const folder = path.join(dataDir, schema.name);
    if (schema.isSymbolicLink() && (await isFolder(folder))) linked.add(await realpath(folder));
    else if (!schema.isDirectory()) continue;
    for (const file of await entries(folder)) {
      if (file.isSymbolicLink()) linked.add(path.dirname(await realpath(path.join(folder, file.name))));
      const engine = unloggedBy[path.extname(file.name)];
      if (engine !== undefined && !ownSchemas.includes(schema.name)) unlogged.add(engine);
    }
  }
  return { unlogged: [...unlogged].toSorted(), linked: [...linked] };
}

async function entries(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    // A schema may be dropped meanwhile.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    const hint = "Run holdstill as root, or as the server's user.";
    throw new PluginError("MYSQL_NOT_LOCAL", `the server's folder ${folder} cannot be read`, hint, { cause: error });
  }
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch {
    return false;
  }
}
