import type { ExecResult } from "holdstill/plugin";
import { notStarted } from "./snapshot-namespace.js";

/** Why a program failed: its first error, whole, from which the others follow, and those; or its last lines. */
export function errorLines(ended: ExecResult): string {
  const { exitCode } = ended;
  return `exit ${exitCode ?? "by a signal"}: ${errorsIn(ended).slice(0, 5).join(" | ")}`;
}

/**
 * Whether what is around the snapshot made the server fail, and not its contents: rights, space, memory, options, a program or a
 * library that is not there, a key.
 */
export function isEnvironment(ended: ExecResult): boolean {
  const { exitCode, stdout, stderr } = ended;
  if (exitCode === null) return !/got (signal|exception)/.test(`${stdout}${stderr}`);
  return (
    exitCode >= notStarted ||
    errorsIn(ended)
      .slice(0, 2)
      .some((one) => environment.some((pattern) => pattern.test(one)))
  );
}

/** EPERM, ENOMEM, EACCES, ENFILE, EMFILE, ENOSPC, EROFS, EDQUOT, as the servers print them. */
const environment: readonly RegExp[] = [
  /\b(Errcode:|errno:|error|error number) (1|12|13|23|24|28|30|122)\b/i,
  /unknown (option|variable|suffix)|ambiguous option|requires an argument/i,
  /permission denied|must be (readable|writable)|no space left|read-only file system|cannot allocate|out of memory|disk quota/i,
  /shared library|couldn't load plugin|plugin .* (is not loaded|disabled|init function returned error)/i,
  /encrypt|decrypt|\bkey (file|id|management)/i,
  /as root|another process|already (in use|running)|unable to lock/i,
];

/** What keeps a server from reading tables that are whole: a library or a key that it does not have. Undefined: nothing. */
export function missingMeans(log: string): string | undefined {
  return log.split("\n").find((line) => /\[ERROR\].*(shared library|load plugin|encrypt|decrypt|key file)/i.test(line));
}

function errorsIn({ stdout, stderr }: ExecResult): string[] {
  const lines = `${stdout}\n${stderr}`.trim().split("\n");
  const found: string[] = [];
  let isWithin = false;
  for (const line of lines) {
    const isError = /\[ERROR\]|\bfatal\b|^mount:|^(\S*\/)?(mariadbd|mysqld|setpriv|unshare|sh): /i.test(line);
    const isNew = isError || /^\d{4}-\d\d-\d\d|^$|\[(Note|Warning|System)\]/.test(line);
    const last = found.at(-1);
    // What is not an entry of its own continues the one before.
    if (isWithin && !isNew && last !== undefined) found[found.length - 1] = `${last} ${line.trim()}`;
    else if (isError && !/\[ERROR\] (\[\S+\] )*Aborting/.test(line)) found.push(line);
    isWithin = isNew ? isError : isWithin;
  }
  return found.length > 0 ? found : lines.slice(-5);
}
