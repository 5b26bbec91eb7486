import { constants, type Dirent } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { codeOf } from "#kit/plugin-error.js";
import { engineOfFile, kindOf } from "./engines.js";
import { PluginError } from "./errors.js";
import { engineOfFrm, engineOfSdi } from "./table-definition.js";

/** The server's own schemas: their tables survive a crash, or are logs. */
const ownSchemas = ["mysql", "performance_schema", "sys", "information_schema"];

/** Files that only define a table, and how their engine is read. */
const definitions: Readonly<Record<string, (file: Buffer) => string>> = { ".frm": engineOfFrm, ".sdi": engineOfSdi };

export interface TableSurvey {
  /** Names of the engines, in order. */
  readonly unlogged: readonly string[];
  /** SCHEMA/TABLE: their rows are in memory only, so no snapshot has them. */
  readonly memory: readonly string[];
  /** SCHEMA/TABLE (ENGINE): their rows are this writer does not know where. */
  readonly unknown: readonly string[];
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
  const others: Record<"memory" | "unknown", string[]> = { memory: [], unknown: [] };
  for (const schema of await entries(dataDir)) {
    const folder = path.join(dataDir, schema.name);
    if (schema.isSymbolicLink() && (await isFolder(folder))) linked.add(await realpath(folder));
    else if (!schema.isDirectory()) continue;
    const files = await entries(folder);
    for (const file of files) {
      const target = file.isSymbolicLink() ? await targetOf(path.join(folder, file.name)) : undefined;
      if (target !== undefined) linked.add(path.dirname(target));
    }
    if (ownSchemas.includes(schema.name)) continue;
    for (const { table, engine } of await tablesIn(folder, files)) {
      const kind = kindOf(engine);
      if (kind === "unlogged") unlogged.add(engine);
      if (kind === "memory") others.memory.push(`${schema.name}/${table}`);
      if (kind === "unknown") others.unknown.push(`${schema.name}/${table} (${engine})`);
    }
  }
  return { ...others, unlogged: [...unlogged].toSorted(), linked: [...linked] };
}

interface Table {
  readonly table: string;
  readonly engine: string;
}

/** Each table by the file of its rows; a definition is read only for those without. */
async function tablesIn(folder: string, files: readonly Dirent[]): Promise<Table[]> {
  const found = new Map<string, string>();
  for (const { name } of files) {
    const engine = engineOfFile(path.extname(name));
    if (engine !== undefined) found.set(tableOf(name), engine);
  }
  for (const { name } of files) {
    const read = definitions[path.extname(name)];
    const table = tableOf(name);
    if (read === undefined || found.has(table) || name.startsWith("#")) continue;
    const engine = await readIfThere(path.join(folder, name), read);
    if (engine !== undefined) found.set(table, engine);
  }
  return [...found].map(([table, engine]) => ({ table, engine }));
}

/** A partition has its table's name before #P#. MySQL appends a number to the name of an .sdi file. */
function tableOf(file: string): string {
  const { name, ext } = path.parse(file);
  const whole = name.split(/#p#/i)[0] ?? name;
  return ext === ".sdi" ? whole.replace(/_\d+$/, "") : whole;
}

/** A definition is at most so long, bytes (sql/unireg.h: FRM_MAX_SIZE is less). */
const definitionBytes = 1024 * 1024;

/** The folder is the server's user's, who may have put anything in the file's place: only a plain file is read, and not without end. */
async function readIfThere(file: string, read: (content: Buffer) => string): Promise<string | undefined> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!(await handle.stat()).isFile()) return "unknown";
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(definitionBytes), 0, definitionBytes, 0);
      return read(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    // A table may be dropped meanwhile.
    if (codeOf(error) === "ENOENT") return undefined;
    if (codeOf(error) === "ELOOP") return "unknown";
    throw unreadable(file, error);
  }
}

async function entries(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    // A schema may be dropped meanwhile.
    if (codeOf(error) === "ENOENT") return [];
    throw unreadable(folder, error);
  }
}

function unreadable(file: string, cause: unknown): PluginError {
  const hint = "Run holdstill as root, or as the server's user.";
  return new PluginError("MYSQL_NOT_LOCAL", `the server's ${file} cannot be read`, hint, { cause });
}

/** undefined: the link leads nowhere. */
async function targetOf(link: string): Promise<string | undefined> {
  try {
    return await realpath(link);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw unreadable(link, error);
  }
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch {
    return false;
  }
}
