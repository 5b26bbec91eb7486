import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** A Debian package: deb(5), deb-control(5). */
export interface DebianPackage {
  /** The fields of the control file, apart from Installed-Size. */
  readonly control: Readonly<Record<string, string>>;
  /** The maintainer scripts, by their names. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Modes of folders and files that differ from 0755, 0644, and 0755 for what its owner may execute, by their paths in the tree. */
  readonly modes?: Readonly<Record<string, number>>;
  /** Of xz(1), 0 to 9. */
  readonly compression: number;
}

/** The name of the machine in Debian. @throws Error for another one than those that packages are made for. */
export function debianArchitecture(): string {
  const name = new Map([
    ["x64", "amd64"],
    ["arm64", "arm64"],
  ]).get(process.arch);
  if (name === undefined) throw new Error(`No Debian packages are made for ${process.arch}.`);
  return name;
}

/** The time that all files have, seconds: SOURCE_DATE_EPOCH, else that of the last commit. */
export function sourceDate(repository: string): number {
  const given = process.env["SOURCE_DATE_EPOCH"];
  return Number(given ?? execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: repository, encoding: "utf8" }));
}

/**
 * Makes a package of the files below `tree`, in the folder `to`: the same for the same files, wherever and whenever it is made.
 *
 * @param date The time that all files get, seconds.
 * @returns The path of the package.
 */
export function makeArchive(
  { control, scripts, modes = {}, compression }: DebianPackage,
  tree: string,
  to: string,
  date: number,
): string {
  const files = filesBelow(tree);
  const folder = path.join(tree, "DEBIAN");
  mkdirSync(folder);
  const bytes = files.reduce((sum, file) => sum + lstatSync(path.join(tree, file)).size, 0);
  const fields = { ...control, "Installed-Size": String(Math.ceil(bytes / 1024)) };
  writeFileSync(
    path.join(folder, "control"),
    Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(""),
  );
  const sums = files.map(
    (file) =>
      `${createHash("md5")
        .update(readFileSync(path.join(tree, file)))
        .digest("hex")}  ${file}\n`,
  );
  writeFileSync(path.join(folder, "md5sums"), sums.join(""));
  for (const [name, text] of Object.entries(scripts)) writeFileSync(path.join(folder, name), text);
  const executable = Object.fromEntries(Object.keys(scripts).map((name) => [`DEBIAN/${name}`, 0o755]));
  settle(tree, { ...modes, ...executable }, date);
  const { Package: name, Version: version, Architecture: architecture } = control;
  const file = path.join(to, `${name}_${version}_${architecture}.deb`);
  // One thread: the result depends on their number.
  execFileSync(
    "dpkg-deb",
    ["--root-owner-group", "-Zxz", `-z${compression}`, "--threads-max=1", "--build", tree, file],
    {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(date) },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  return file;
}

/** As policy 12.3 has it: without a name, without a time. */
export function writeCompressed(file: string, text: string | Buffer): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, gzipSync(text, { level: 9 }));
}

/** The same modes and times for everybody's umask and clock. */
function settle(tree: string, modes: Readonly<Record<string, number>>, date: number): void {
  for (const name of ["", ...readdirSync(tree, { recursive: true, encoding: "utf8" })]) {
    const file = path.join(tree, name);
    const stat = lstatSync(file);
    if (!stat.isSymbolicLink()) chmodSync(file, modes[name] ?? ((stat.mode & 0o100) === 0 ? 0o644 : 0o755));
    lutimesSync(file, date, date);
  }
}

function filesBelow(tree: string): string[] {
  const all = readdirSync(tree, { recursive: true, encoding: "utf8" }).toSorted();
  return all.filter((name) => lstatSync(path.join(tree, name)).isFile());
}
