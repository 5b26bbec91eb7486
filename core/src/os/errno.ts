import { constants } from "node:os";
import { getSystemErrorName } from "node:util";

/** Of include/uapi/asm-generic/errno.h, what neither node:os nor libuv names: a file system found that its own data is wrong. */
const EUCLEAN = 117;
/** Second names, of EAGAIN and EOPNOTSUPP. */
const aliases = ["EWOULDBLOCK", "ENOTSUP"];

const names = new Map(
  Object.entries({ ...constants.errno, EUCLEAN })
    .filter(([name]) => !aliases.includes(name))
    .map(([name, code]) => [code, name]),
);

/** The name of an errno: `EIO`. libuv, and so util.getSystemErrorName, lacks some: EBADMSG, EDQUOT, ESTALE. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? getSystemErrorName(-errno);
}
