import type { Stats } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import path from "node:path";
import type { TrustProblem } from "../errors/details.js";
import { isPrivateGroup, readAccounts, type Accounts } from "./accounts.js";

/** On whose behalf it is asked who could change a file. */
export interface TrustedUser {
  /** Effective user id of the process; root and this user are trusted. */
  uid: number;
  accounts: Accounts;
}

export async function trustedUser(): Promise<TrustedUser> {
  return { uid: process.geteuid?.() ?? 0, accounts: await readAccounts() };
}

/** What lets somebody other than root and the user of this process change the file or folder. */
export function ownershipProblems(file: string, stats: Stats, { uid, accounts }: TrustedUser): TrustProblem[] {
  const found: TrustProblem[] = [];
  if (stats.uid !== 0 && stats.uid !== uid) {
    const mend = `chown ${uid} ${quoted(file)}`;
    found.push({ path: file, problem: `${file} is owned by user ${stats.uid}`, remedy: mend });
  }
  if (stats.isSymbolicLink()) return found;
  const who = [
    ...(stats.mode & 0o020 && !isPrivateGroup(accounts, stats.gid, stats.uid) ? [`group ${stats.gid}`] : []),
    ...(stats.mode & 0o002 ? ["everybody"] : []),
  ];
  if (who.length > 0) {
    found.push({
      path: file,
      problem: `${file} is writable for ${who.join(" and ")}`,
      remedy: `chmod go-w ${quoted(file)}`,
    });
  }
  return found;
}

/**
 * The same for every folder above a path, for who can write there can put something else in its place. A sticky folder, such as
 * /tmp, protects what is in it. The path must be a real one, without symbolic links.
 */
export async function ownershipProblemsAbove(realPath: string, who: TrustedUser): Promise<TrustProblem[]> {
  const found: TrustProblem[] = [];
  for (let dir = path.dirname(realPath); ; dir = path.dirname(dir)) {
    const stats = await lstat(dir);
    found.push(
      ...ownershipProblems(dir, stats, who).filter(
        ({ remedy: mend }) => !(isSticky(stats) && mend.startsWith("chmod")),
      ),
    );
    if (dir === path.dirname(dir)) return found;
  }
}

/** What lets somebody other than root and the user of this process read the file. */
export function exposures(file: string, stats: Stats, { uid, accounts }: TrustedUser): TrustProblem[] {
  const found: TrustProblem[] = [];
  if (stats.uid !== 0 && stats.uid !== uid) {
    found.push({
      path: file,
      problem: `${file} is owned by user ${stats.uid}`,
      remedy: `chown ${uid} ${quoted(file)}`,
    });
  }
  const who = [
    ...(stats.mode & 0o040 && !isPrivateGroup(accounts, stats.gid, stats.uid) ? [`group ${stats.gid}`] : []),
    ...(stats.mode & 0o004 ? ["everybody"] : []),
  ];
  if (who.length > 0) {
    found.push({
      path: file,
      problem: `${file} is readable for ${who.join(" and ")}`,
      remedy: `chmod go-r ${quoted(file)}`,
    });
  }
  return found;
}

/** Both of a path as it was named, and of the file that it may be a link to, with everything above them. Throws where there is none. */
export async function ownershipProblemsOfPath(file: string, who: TrustedUser): Promise<TrustProblem[]> {
  const link = path.join(await realpath(path.dirname(file)), path.basename(file));
  const found: TrustProblem[] = [];
  for (const one of new Set([link, await realpath(file)])) {
    found.push(...ownershipProblems(one, await lstat(one), who), ...(await ownershipProblemsAbove(one, who)));
  }
  return [...new Map(found.map((weakness) => [weakness.problem, weakness])).values()];
}

function isSticky(stats: Stats): boolean {
  return (stats.mode & 0o1000) !== 0;
}

/** As a word of a shell command. */
export function quoted(file: string): string {
  return /^[\w./@%+=:,-]+$/.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`;
}
