import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { installedProgram } from "../os/path/programs.js";
import { entriesOf } from "../host/manifest/folder.js";
import { setXattr, xattrsOf } from "../os/xattr.js";
import { OURS } from "./tree.js";

/** A user and a group that own nothing else, and that applications may have. */
export const OTHER = 65534;
const HOLE = 4 * 1024 * 1024;
/** Long ago, with a part of a second. */
const OLD = 946_684_799.125;

/** An ACL as the kernel stores it (linux/posix_acl_xattr.h): the owner rw, user 1 r, the group r, the mask r, others r. */
function accessList(): Buffer {
  const entries = [
    [0x01, 6, -1],
    [0x02, 4, 1],
    [0x04, 4, -1],
    [0x10, 4, -1],
    [0x20, 4, -1],
  ] as const;
  const list = Buffer.alloc(4 + 8 * entries.length);
  list.writeUInt32LE(2, 0);
  for (const [at, [tag, rights, id]] of entries.entries()) {
    list.writeUInt16LE(tag, 4 + 8 * at);
    list.writeUInt16LE(rights, 6 + 8 * at);
    list.writeInt32LE(id, 8 + 8 * at);
  }
  return list;
}

/**
 * Adds what a copy easily loses: other owners, old times, hard links, extended attributes, an ACL, a hole, a fifo, and odd names.
 *
 * @returns What the file system of the folder, or this user, cannot have, a phrase each.
 */
export function furnishMetadata(folder: string): string[] {
  const dir = path.join(folder, OURS);
  const at = (name: string): string => path.join(dir, name);
  const cannot: string[] = [];
  const attempt = (what: string, work: () => boolean | void): void => {
    try {
      if (work() === false) cannot.push(what);
    } catch {
      cannot.push(what);
    }
  };
  writeFileSync(at("linked"), "two names\n");
  attempt("hard links", () => linkSync(at("linked"), path.join(dir, "inner folder", "other name")));
  writeFileSync(at("attributed"), "with attributes\n");
  attempt("extended attributes", () => setXattr(at("attributed"), "user.holdstill", Buffer.from("check\0\u00e9")));
  writeFileSync(at("listed"), "with an ACL\n");
  attempt("ACLs", () => setXattr(at("listed"), "system.posix_acl_access", accessList()));
  attempt("sparse files", () => makeSparse(at("sparse")));
  attempt("fifos", () => void execFileSync(installedProgram("mkfifo") ?? "/usr/bin/mkfifo", ["--", at("fifo")]));
  attempt("odd names", () => writeFileSync(at(`-odd\n "name" $(\u00e9) *`), "odd\n"));
  writeFileSync(at("privileged"), "set-user-ID\n");
  mkdirSync(at("empty folder"), { mode: 0o750 });
  symlinkSync("/nowhere/at all", at("dangling"));
  attempt("other owners", () => {
    for (const name of ["owned", "owned folder"]) {
      if (name.endsWith("folder")) mkdirSync(at(name), { mode: 0o700 });
      else writeFileSync(at(name), "another user's\n", { mode: 0o600 });
      chownSync(at(name), OTHER, OTHER);
    }
    writeFileSync(path.join(at("owned folder"), "inside"), "another user's\n");
    chownSync(path.join(at("owned folder"), "inside"), OTHER, 0);
    lchownSync(at("dangling"), OTHER, OTHER);
    chownSync(at("privileged"), OTHER, OTHER);
  });
  // After the owner: chown(2) clears it.
  chmodSync(at("privileged"), 0o4755);
  lutimesSync(at("dangling"), OLD, OLD);
  for (const name of ["linked", "attributed", "sparse", "empty folder", "inner folder"])
    attempt("old times", () => utimesSync(at(name), OLD, OLD));
  return [...new Set(cannot)];
}

function makeSparse(file: string): boolean {
  const fd = openSync(file, "w");
  try {
    writeSync(fd, "begin");
    ftruncateSync(fd, HOLE);
    writeSync(fd, "end", HOLE);
  } finally {
    closeSync(fd);
  }
  return hasHole(file);
}

const hasHole = (file: string): boolean => {
  const { size, blocks } = lstatSync(file);
  return size >= HOLE && blocks * 512 < size / 2;
};

/** What each of our entries below a folder has beside its content. */
export async function metadataOf(folder: string): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const entries = await entriesOf(path.join(folder, OURS));
  return new Map(
    entries.map(({ file, stats }) => {
      const name = path.relative(folder, file);
      const inode = `${stats.dev} ${stats.ino}`;
      const first = stats.isDirectory() ? undefined : names.get(inode);
      if (first === undefined) names.set(inode, name);
      const facts = [
        typeOf(stats),
        `mode ${(stats.mode & 0o7777).toString(8)}`,
        `owner ${stats.uid}:${stats.gid}`,
        `time ${new Date(Math.floor(stats.mtimeMs)).toISOString()}`,
        ...(first === undefined ? [] : [`the same file as ${first}`]),
        ...(stats.isFile() && hasHole(file) ? ["a hole"] : []),
        ...attributesOf(file),
      ];
      return [name, facts.join(", ")];
    }),
  );
}

const typeOf = (stats: ReturnType<typeof lstatSync> & object): string =>
  stats.isFile()
    ? "file"
    : stats.isDirectory()
      ? "folder"
      : stats.isSymbolicLink()
        ? "link"
        : stats.isFIFO()
          ? "fifo"
          : "special file";

/** Of users and ACLs: `security.` and `trusted.` are the system's. */
function attributesOf(file: string): string[] {
  return [...xattrsOf(file)]
    .filter(([name]) => name.startsWith("user.") || name.startsWith("system.posix_acl"))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name} ${value.toString("hex")}`);
}
