import { isPrivateGroup } from "../../base/trust/accounts.js";
import { ENODATA, EOPNOTSUPP, pathFailed, pathUnsafe } from "./refusal.js";
import { statusOf } from "./status.js";
import { procPathOf, type Syscalls } from "./syscalls.js";
import { isTrusted, type PathTrust } from "./trust.js";

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
export function grantsOthers(handle: Subject, trust: PathTrust = {}, what: "write" | "read" = "write"): string[] {
  const { mode, uid, gid, type } = statusOf(handle.sys, handle.fd, handle.path);
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

/** What is looked at. */
interface Subject {
  readonly sys: Syscalls;
  readonly fd: number;
  readonly path: string;
}

interface AccessList {
  readonly ownGroup: number;
  readonly named: readonly { readonly kind: "user" | "group"; readonly id: number; readonly rights: number }[];
}

/** system.posix_acl_access, with the mask applied. null: there is only the mode. */
function accessList(handle: Subject): AccessList | null {
  const { sys, fd, path } = handle;
  refuseUnjudged(handle);
  const bytes = Buffer.alloc(65_536);
  const length = sys.getxattr(procPathOf(fd), "system.posix_acl_access", bytes);
  if (length === -ENODATA || length === -EOPNOTSUPP) return null;
  if (length < 0) throw pathFailed("Reading", path, length);
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

function refuseUnjudged(handle: Subject): void {
  const names = Buffer.alloc(65_536);
  const length = handle.sys.listxattr(procPathOf(handle.fd), names);
  if (length === -EOPNOTSUPP) return;
  if (length < 0) throw pathFailed("Reading", handle.path, length);
  const found = names
    .subarray(0, length)
    .toString()
    .split("\0")
    .find((name) => unjudged.test(name));
  if (found !== undefined) throw cannotJudge(handle, found);
}

function cannotJudge({ path }: Subject, list: string): Error {
  const reason = `its access control list (${list}) may let other users change it, and cannot be judged`;
  return pathUnsafe(path, null, reason, `Move it to a local file system. getfattr -d -m - ${path} shows the list.`);
}
