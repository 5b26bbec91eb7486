/** How a snapshot of one instant treats the tables of an engine. */
export type EngineKind =
  /** Its log makes them whole. */
  | "logged"
  /** They are whole only while no client writes. */
  | "unlogged"
  /** They have no rows of their own, or lose them with each stop of the server by design. */
  | "empty"
  | "memory"
  /** Their rows are in files or servers that this writer does not know. */
  | "unknown";

/** By the name in lower case: servers write it in more than one way. */
const kinds: Readonly<Record<string, EngineKind>> = {
  innodb: "logged",
  rocksdb: "logged",
  myisam: "unlogged",
  aria: "unlogged",
  csv: "unlogged",
  archive: "unlogged",
  // A list of MyISAM tables; the kernel's black hole; values that are computed; a view.
  mrg_myisam: "empty",
  blackhole: "empty",
  sequence: "empty",
  sql_sequence: "empty",
  performance_schema: "empty",
  view: "empty",
  memory: "memory",
};

export function kindOf(engine: string): EngineKind {
  return kinds[engine.toLowerCase()] ?? "unknown";
}

/** By the file that holds a table's rows. Aria's tables have a log, but one statement after the other, not one instant. */
const byExtension: Readonly<Record<string, string>> = {
  ".ibd": "InnoDB",
  ".MYD": "MyISAM",
  ".MAD": "Aria",
  ".CSV": "CSV",
  ".ARZ": "ARCHIVE",
};

export function engineOfFile(extension: string): string | undefined {
  return byExtension[extension];
}
