import { libcCall } from "./libc.js";

const setxattr = libcCall(
  "int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)",
);
const getxattr = libcCall("intptr_t lgetxattr(const void *path, const void *name, void *into, size_t size)");
const listxattr = libcCall("intptr_t llistxattr(const void *path, void *into, size_t size)");

/** The most that the kernel returns, bytes: XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h. */
const MOST = 65_536;
const text = (value: string): Buffer => Buffer.from(`${value}\0`);

/** lsetxattr(2). False: the file system, or this user, cannot have it. */
export function setXattr(file: string, name: string, value: Buffer): boolean {
  return setxattr(text(file), text(name), value, value.length, 0) === 0;
}

/** The extended attributes of a file, with ACLs as `system.posix_acl_*`; of a link: its own. Empty if the file system has none. */
export function xattrsOf(file: string): Map<string, Buffer> {
  const names = Buffer.alloc(MOST);
  const length = listxattr(text(file), names, MOST);
  const all = names.subarray(0, Math.max(0, length)).toString().split("\0").filter(Boolean);
  return new Map(
    all.flatMap((name) => {
      const value = Buffer.alloc(MOST);
      const size = getxattr(text(file), text(name), value, MOST);
      return size < 0 ? [] : [[name, value.subarray(0, size)] as const];
    }),
  );
}
