import { constants } from "node:fs";

/*
 * Constants of the kernel that node:fs does not name: include/uapi/linux/{fcntl,openat2,stat,mount}.h. O_DIRECTORY and O_NOFOLLOW
 * differ between architectures, so they come from node:fs.
 */

export const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
export const O_CLOEXEC = 0o2000000;
/** A reference to a file or folder: nothing is opened, so neither a device nor a FIFO notices it. open(2). */
export const O_PATH = 0o10000000;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_NO_AUTOMOUNT = 0x800;
/** With the name "": the descriptor itself. */
export const AT_EMPTY_PATH = 0x1000;
export const AT_RECURSIVE = 0x8000;

export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_BENEATH = 0x08;

export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;

export const OPEN_TREE_CLONE = 1;
export const MOVE_MOUNT_F_EMPTY_PATH = 0x04;
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
export const MOUNT_ATTR_RDONLY = 0x01;
export const MOUNT_ATTR_NOSUID = 0x02;
export const MOUNT_ATTR_NODEV = 0x04;
/** Linux 5.14: no symbolic link is followed below the mount, by any program. */
export const MOUNT_ATTR_NOSYMFOLLOW = 0x200000;
export const MS_PRIVATE = 1 << 18;
export const FSCONFIG_SET_STRING = 1;
export const FSCONFIG_CMD_CREATE = 6;
export const FSOPEN_CLOEXEC = 1;
export const FSMOUNT_CLOEXEC = 1;
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;
