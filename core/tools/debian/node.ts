/**
 * The Debian package `holdstill-node`: Node.js for Debian 12, whose own is too old for holdstill. The program comes from the npm
 * package that packaging/node/package-lock.json names with its checksum.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { debianArchitecture, makeArchive, sourceDate, writeCompressed } from "./archive.js";
import { changelogOf, maintainer, revisionOf } from "./revision.js";

/** @param to The folder for the package. @returns Its path. */
export function makeNodePackage(repository: string, to: string): string {
  const tree = path.join(to, "holdstill-node.tree");
  const download = path.join(to, "holdstill-node.download");
  for (const folder of [tree, download]) rmSync(folder, { recursive: true, force: true });
  cpSync(path.join(repository, "packaging/node"), download, { recursive: true });
  execFileSync("npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--silent"], {
    cwd: download,
    stdio: "inherit",
  });
  const from = path.join(download, `node_modules/node-linux-${process.arch}`);
  const { version } = JSON.parse(readFileSync(path.join(from, "package.json"), "utf8")) as { version: string };
  const date = sourceDate(repository);

  const program = "usr/lib/holdstill-node/bin/node";
  const at = (name: string): string => path.join(tree, name);
  const documents = "usr/share/doc/holdstill-node";
  for (const file of [program, `${documents}/copyright`]) mkdirSync(path.dirname(at(file)), { recursive: true });
  execFileSync("strip", ["--strip-unneeded", "-o", at(program), path.join(from, "bin/node")]);
  cpSync(path.join(repository, "packaging/debian/holdstill-node.copyright"), at(`${documents}/copyright`));
  writeCompressed(at(`${documents}/LICENSE.gz`), readFileSync(path.join(from, "LICENSE")));
  writeCompressed(at(`${documents}/changelog.gz`), readFileSync(path.join(from, "CHANGELOG.md")));
  writeCompressed(at(`${documents}/changelog.Debian.gz`), changelogOf("holdstill-node", version, date));
  const overrides = "usr/share/lintian/overrides/holdstill-node";
  mkdirSync(path.dirname(at(overrides)), { recursive: true });
  cpSync(path.join(repository, "packaging/debian/holdstill-node.lintian-overrides"), at(overrides));
  const control = {
    Package: "holdstill-node",
    Version: revisionOf(version),
    Architecture: debianArchitecture(),
    Maintainer: maintainer,
    Section: "admin",
    Priority: "optional",
    Depends: "libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 12)",
    Description:
      "Node.js for holdstill\n The Node.js that holdstill uses if the package nodejs is older than 20.19,\n as in Debian 12. Other programs do not see it.",
  };
  const file = makeArchive({ control, scripts: {}, compression: 1 }, tree, to, date);
  for (const folder of [tree, download]) rmSync(folder, { recursive: true });
  return file;
}
