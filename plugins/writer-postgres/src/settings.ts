import type { Facts } from "./facts.js";
import type { Options } from "./options.js";

/**
 * Settings of a server on a snapshot, as arguments: those of the captured server on which redo depends, and for the rest ours. The
 * snapshot's configuration is not read, because it names where the captured server archives, listens, and logs. What is
 * still read of it (postgresql.auto.conf) is overruled.
 */
export function settings(
  { settings: captured }: Facts,
  { repairMemoryMb }: Pick<Options, "repairMemoryMb">,
  own: Readonly<Record<string, string>>,
): string[] {
  const all = { ...captured, ...always, shared_buffers: `${repairMemoryMb}MB`, ...own };
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

const always = {
  config_file: "/dev/null",
  ident_file: "/dev/null",
  external_pid_file: "",
  archive_mode: "off",
  autovacuum: "off",
  listen_addresses: "",
  ssl: "off",
  // A commit would wait for the standbys of the captured server, and subscriptions would take what is meant for it.
  synchronous_standby_names: "",
  max_logical_replication_workers: "0",
  shared_preload_libraries: "",
  session_preload_libraries: "",
  local_preload_libraries: "",
  logging_collector: "off",
  log_destination: "stderr",
  log_min_messages: "warning",
  lc_messages: "C",
  // In the snapshot: a killed server would otherwise leave a file in /dev/shm.
  dynamic_shared_memory_type: "mmap",
  // The captured server may use all of them.
  huge_pages: "off",
};
