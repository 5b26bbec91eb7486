import type { ServerFacts } from "./facts.js";

/** The size of the captured server's redo log, bytes. */
export function redoCapacity({ settings }: Pick<ServerFacts, "settings">): number {
  const { innodb_redo_log_capacity: capacity, innodb_log_file_size: size, innodb_log_files_in_group: files } = settings;
  return Number(capacity ?? Number(size ?? 0) * Number(files ?? 1));
}

/**
 * How much redo a server reports to have replayed, bytes; undefined if it does not report that. MariaDB: storage/innobase/log/log0recv.cc;
 * MySQL: messages ER_IB_MSG_LOG_PARSING_LSN and the like.
 */
export function redoBytes(log: string): number | undefined {
  if (!/Starting crash recovery|Starting to parse redo log|Database was not shut ?down normally/.test(log)) return 0;
  const from = lsn(log, /checkpoint LSN=(\d+)|Starting to parse redo log at lsn = (\d+)/g, "first");
  const to = lsn(log, /End of log at LSN=(\d+)|scanned up to log sequence number (\d+)|Log scan .*?LSN=(\d+)/g, "last");
  return from === undefined || to === undefined || to < from ? undefined : to - from;
}

function lsn(log: string, pattern: RegExp, which: "first" | "last"): number | undefined {
  const all = [...log.matchAll(pattern)].map((match) => Number(match.slice(1).find((group) => group !== undefined)));
  return which === "first" ? all[0] : all.at(-1);
}
