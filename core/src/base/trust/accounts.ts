import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** The local accounts, as far as they show whether a group has only one user. */
export interface Accounts {
  /** From /etc/passwd. */
  users: readonly { name: string; uid: number; gid: number }[];
  /** From /etc/group; `members` are beside the users whose primary group it is. */
  groups: readonly { name: string; gid: number; members: readonly string[] }[];
}

export async function readAccounts(passwd = "/etc/passwd", group = "/etc/group"): Promise<Accounts> {
  const [users, groups] = await Promise.all([records(passwd), records(group)]);
  return accountsOf(users, groups);
}

/** The same without waiting, for what is decided in one step. */
export function readAccountsNow(): Accounts {
  return accountsOf(recordsNow("/etc/passwd"), recordsNow("/etc/group"));
}

function accountsOf(users: readonly string[][], groups: readonly string[][]): Accounts {
  return {
    users: users.map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) })),
    groups: groups.map(([name = "", , gid, members = ""]) => ({
      name,
      gid: Number(gid),
      members: members.split(",").filter((member) => member !== ""),
    })),
  };
}

/**
 * Whether the only member of a group is the user whose primary group it is. Then a file that is writable for the group is
 * writable only for its owner. Debian's OpenSSH accepts files of such a group for the same reason (patch user-group-modes).
 */
export function isPrivateGroup({ users, groups }: Accounts, gid: number, uid: number): boolean {
  const primary = users.filter((user) => user.gid === gid);
  const owner = primary.find((user) => user.uid === uid);
  const members = groups.filter((group) => group.gid === gid).flatMap((group) => group.members);
  return (
    owner !== undefined && primary.every((user) => user.uid === uid) && members.every((name) => name === owner.name)
  );
}

/** An account file that cannot be read has no accounts. */
async function records(file: string): Promise<string[][]> {
  return recordsIn(await readFile(file, "utf8").catch(() => ""));
}

function recordsNow(file: string): string[][] {
  try {
    return recordsIn(readFileSync(file, "utf8"));
  } catch {
    return [];
  }
}

function recordsIn(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.includes(":"))
    .map((line) => line.split(":"));
}
