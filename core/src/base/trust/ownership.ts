import type { Stats } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import path from "node:path";
import type { TrustProblem } from "../errors/details.js";
import { isPrivateGroup, readAccounts, type Accounts } from "./accounts.js";

/** The user who, beside root, may change a file. */
export interface TrustedUser {
  /** Effective user id of this process. */
  uid: number;
  accounts: Accounts;
}

export async function trustedUser(): Promise<TrustedUser> {
  return { uid: process.geteuid?.() ?? 0, accounts: await readAccounts() };
}

/** What lets another user than root and the trusted one change the file or folder. */
export function ownershipProblems(file: string, stats: Stats, { uid, accounts }: TrustedUser): TrustProblem[] {
  const found: TrustProblem[] = [];
  if (stats.uid !== 0 && stats.uid !== uid) {
    const remedy = `chown ${uid} ${quoted(file)}`;
    found.push({ path: file, problem: `${file} is owned by user ${stats.uid}`, remedy });
  }
  if (stats.isSymbolicLink()) return found;
  const who = [
    ...(stats.mode & 0o020 && !isPrivateGroup(accounts, stats.gid, stats.uid) ? [`group ${stats.gid}`] : []),
    ...(stats.mode & 0o002 ? ["all users"] : []),
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
 * The same for every folder above a path: a user who can write there can replace the path. A sticky folder, such as /tmp,
 * protects its entries. The path must not contain symbolic links.
 */
export async function ownershipProblemsAbove(realPath: string, who: TrustedUser): Promise<TrustProblem[]> {
  const found: TrustProblem[] = [];
  for (let dir = path.dirname(realPath); ; dir = path.dirname(dir)) {
    const stats = await lstat(dir);
    found.push(
      ...ownershipProblems(dir, stats, who).filter(({ remedy }) => !(isSticky(stats) && remedy.startsWith("chmod"))),
    );
    if (dir === path.dirname(dir)) return found;
  }
}

/** What lets another user than root and the trusted one read the file. */
export function exposures(
  file: string,
  stats: Pick<Stats, "uid" | "gid" | "mode">,
  { uid, accounts }: TrustedUser,
): TrustProblem[] {
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
    ...(stats.mode & 0o004 ? ["all users"] : []),
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

/** The problems of a path and of the file that it may be a link to, with everything above them. @throws Error if it does not exist. */
export async function ownershipProblemsOfPath(file: string, who: TrustedUser): Promise<TrustProblem[]> {
  const link = path.join(await realpath(path.dirname(file)), path.basename(file));
  const found: TrustProblem[] = [];
  for (const one of new Set([link, await realpath(file)])) {
    found.push(...ownershipProblems(one, await lstat(one), who), ...(await ownershipProblemsAbove(one, who)));
  }
  return [...new Map(found.map((one) => [one.problem, one])).values()];
}

function isSticky(stats: Stats): boolean {
  return (stats.mode & 0o1000) !== 0;
}

/** The path as one word of a shell command. */
export function quoted(file: string): string {
  return /^[\w./@%+=:,-]+$/.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`;
}
