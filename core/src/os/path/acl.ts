import { type Accounts, isPrivateGroup } from "../../base/trust/accounts.js";
import type { PathHandle } from "./handle.js";
import { ENODATA, EOPNOTSUPP, failed, unsafe } from "./refusal.js";

/** Users who may be able to change a path, beside root and the user of this process. */
export interface Trust {
  /** The owner of what is captured or restored: the owner may lead only to what is the owner's own. */
  readonly owner?: number;
  /** To tell a user's private group from one with members. Without them every group counts as other users. */
  readonly accounts?: Accounts;
}

const READ = 4;
const WRITE = 2;
/** Tags of acl(5), as include/uapi/linux/posix_acl.h has them. */
const tag = { user: 0x02, ownGroup: 0x04, group: 0x08, mask: 0x10 } as const;
/** Lists of other kinds, of which the mode says little: NFS version 4, its server's, SMB, ZFS and richacl. */
const unjudged =
  /^(?:system\.(?:nfs4_acl|nfs4_dacl|nfs4acl_xdr|cifs_acl|cifs_ntsd|smb3_acl|smb3_ntsd|richacl)|security\.NTACL)$/;

/**
 * Who may write to a file or folder (or read it) beside root, this process's user and its trusted owner, in words: by the mode and by its
 * access control list, acl(5). None: an empty list.
 *
 * @throws HoldstillError E_PATH_UNSAFE where the list is of a kind that cannot be judged; E_PATH_FAILED
 */
export function grantsOthers(handle: PathHandle, trust: Trust = {}, what: "write" | "read" = "write"): string[] {
  const { mode, uid, gid, type } = handle.status();
  // A link's mode means nothing.
  if (type === "symbolic link") return [];
  const right = what === "write" ? WRITE : READ;
  const isOwnGroup = trust.accounts !== undefined && isPrivateGroup(trust.accounts, gid, uid);
  const everyone = (mode & right) === 0 ? [] : ["every user"];
  const list = accessList(handle);
  // The group bits are the mask of the list, if there is one: without them it grants no one anything.
  const group = list?.ownGroup ?? mode >> 3;
  const named = list?.named ?? [];
  const granted = named.filter(
    (one) => (one.rights & right) !== 0 && !(one.kind === "user" && isTrusted(one.id, trust)),
  );
  return [
    ...((group & right) === 0 || isOwnGroup ? [] : [`group ${gid}`]),
    ...granted.map(({ kind, id }) => `${kind} ${id}`),
    ...everyone,
  ];
}

/** Root, the user of this process, and the owner that the caller vouches for. */
export function isTrusted(uid: number, { owner }: Trust): boolean {
  return uid === 0 || uid === process.geteuid?.() || uid === owner;
}

interface AccessList {
  readonly ownGroup: number;
  readonly named: readonly { readonly kind: "user" | "group"; readonly id: number; readonly rights: number }[];
}

/** system.posix_acl_access, with the mask applied. null: there is only the mode. */
function accessList(handle: PathHandle): AccessList | null {
  const { sys, procPath, path } = handle;
  refuseUnjudged(handle);
  const bytes = Buffer.alloc(65_536);
  const length = sys.getxattr(procPath, "system.posix_acl_access", bytes);
  if (length === -ENODATA || length === -EOPNOTSUPP) return null;
  if (length < 0) throw failed("Reading", path, length);
  if (bytes.readUInt32LE(0) !== 2 || length % 8 !== 4) throw cannotJudge(handle, "an unknown version");
  const entries = Array.from({ length: (length - 4) / 8 }, (_, index) => {
    const at = 4 + index * 8;
    return { tag: bytes.readUInt16LE(at), rights: bytes.readUInt16LE(at + 2), id: bytes.readUInt32LE(at + 4) };
  });
  const mask = entries.find((entry) => entry.tag === tag.mask)?.rights ?? 7;
  return {
    ownGroup: (entries.find((entry) => entry.tag === tag.ownGroup)?.rights ?? 0) & mask,
    named: entries
      .filter((entry) => entry.tag === tag.user || entry.tag === tag.group)
      .map((entry) => ({ kind: entry.tag === tag.user ? "user" : "group", id: entry.id, rights: entry.rights & mask })),
  };
}

function refuseUnjudged(handle: PathHandle): void {
  const names = Buffer.alloc(65_536);
  const length = handle.sys.listxattr(handle.procPath, names);
  if (length === -EOPNOTSUPP) return;
  if (length < 0) throw failed("Reading", handle.path, length);
  const found = names
    .subarray(0, length)
    .toString()
    .split("\0")
    .find((name) => unjudged.test(name));
  if (found !== undefined) throw cannotJudge(handle, found);
}

function cannotJudge({ path }: PathHandle, list: string): Error {
  const reason = `its access control list (${list}) may let other users change it, and cannot be judged`;
  return unsafe(path, null, reason, `Move it to a local file system. getfattr -d -m - ${path} shows the list.`);
}
