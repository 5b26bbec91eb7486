/** The Debian package `holdstill`: the npm package and its dependencies below /usr/lib/holdstill, and what Debian has elsewhere. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { settingsOf } from "#core/base/config/settings.js";
import { serviceUnits } from "#core/cli/render/units-service.js";
import { external } from "../bundle.js";
import { debianArchitecture, makeArchive, sourceDate, writeCompressed } from "./archive.js";
import { changelogOf, maintainer, revisionOf } from "./revision.js";

/** What starts the program, whichever Node.js it then uses. */
const launcher = "/usr/bin/holdstill";

const program = "usr/lib/holdstill/program";

/** @param made The folder with the npm package. @param to The folder for the Debian package. @returns Its path. */
export function makeProgramPackage(repository: string, made: string, to: string): string {
  const tree = path.join(to, "holdstill.tree");
  rmSync(tree, { recursive: true, force: true });
  const at = (name: string): string => path.join(tree, name);
  const write = (name: string, text: string): void => {
    mkdirSync(path.dirname(at(name)), { recursive: true });
    writeFileSync(at(name), text);
  };
  const source = (name: string): string => readFileSync(path.join(repository, "packaging/debian", name), "utf8");
  const date = sourceDate(repository);
  const { version, description } = manifestIn(made);

  cpSync(made, at(program), { recursive: true });
  copyDependencies(repository, at(`${program}/node_modules`));
  for (const name of [
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "THIRD-PARTY-NOTICES",
    "docs",
    "packaging",
  ])
    rmSync(at(`${program}/${name}`), { recursive: true });
  write(
    `${program}/core/package.json`,
    `${JSON.stringify({ ...manifestIn(at(`${program}/core`)), program: launcher }, null, 2)}\n`,
  );
  // Packages of vendors.
  mkdirSync(at("usr/lib/holdstill/plugins"));
  mkdirSync(at("etc/holdstill"), { recursive: true });
  mkdirSync(at("var/lib/holdstill"), { recursive: true });

  write(launcher, source("launcher"));
  for (const [name, text] of Object.entries(units())) write(`usr/lib/systemd/system/${name}`, text);
  write("usr/lib/sysusers.d/holdstill.conf", source("sysusers.conf"));
  write(
    "usr/lib/udev/rules.d/58-holdstill.rules",
    readFileSync(path.join(made, "packaging/udev/58-holdstill.rules"), "utf8"),
  );
  const printed = (...args: string[]): string => printedBy(at(program), args);
  writeCompressed(at("usr/share/man/man8/holdstill.8.gz"), printed("manual"));
  write("usr/share/bash-completion/completions/holdstill", printed("completions", "bash"));
  write("usr/share/zsh/vendor-completions/_holdstill", printed("completions", "zsh"));
  write("usr/share/fish/vendor_completions.d/holdstill.fish", printed("completions", "fish"));

  const documents = "usr/share/doc/holdstill";
  write(`${documents}/copyright`, source("copyright"));
  writeCompressed(at(`${documents}/THIRD-PARTY-NOTICES.gz`), readFileSync(path.join(made, "THIRD-PARTY-NOTICES")));
  writeCompressed(at(`${documents}/changelog.gz`), readFileSync(path.join(made, "CHANGELOG.md")));
  writeCompressed(at(`${documents}/changelog.Debian.gz`), changelogOf("holdstill", version, date));
  cpSync(path.join(made, "README.md"), at(`${documents}/README.md`));
  cpSync(path.join(made, "docs"), at(`${documents}/docs`), { recursive: true });
  write("usr/share/lintian/overrides/holdstill", source("holdstill.lintian-overrides"));

  const idle = source("idle.sh");
  const script = (name: string): string => `#!/bin/sh\nset -e\n\n${idle}\n${source(name)}`;
  const scripts = Object.fromEntries(["preinst", "prerm", "postinst", "postrm"].map((name) => [name, script(name)]));
  const control = {
    Package: "holdstill",
    Version: revisionOf(version),
    Architecture: debianArchitecture(),
    Maintainer: maintainer,
    Section: "admin",
    Priority: "optional",
    Depends: "libc6, libgcc-s1, libstdc++6, nodejs (>= 20.19) | holdstill-node",
    Recommends: "udev",
    Suggests: "dmsetup, lvm2, systemd",
    Description: `application-consistent snapshots of applications and volumes\n ${wrapped(description)}`,
  };
  const modes = {
    [launcher.slice(1)]: 0o755,
    [`${program}/core/bin/holdstill.cjs`]: 0o755,
    "var/lib/holdstill": 0o700,
  };
  const file = makeArchive({ control, scripts, modes, compression: 6 }, tree, to, date);
  rmSync(tree, { recursive: true });
  return file;
}

/** Those of `serve --print-unit` for root without a config. */
function units(): Record<string, string> {
  const { service } = settingsOf({}, null, () => undefined, { cwd: "/", env: {} });
  return serviceUnits({
    program: [launcher],
    config: null,
    service: { ...service, socket: "/run/holdstill.sock" },
    env: {},
  });
}

function printedBy(folder: string, args: readonly string[]): string {
  const main = path.join(folder, "core/bin/holdstill.cjs");
  return execFileSync(process.execPath, [main, ...args], { encoding: "utf8", env: { HOLDSTILL_CONFIG: "" } });
}

/** What they load at run time on this kind of machine. */
function copyDependencies(repository: string, to: string): void {
  const native = `@koromix/koffi-linux-${process.arch}`;
  const wanted =
    /^(?:dist\b.*|linux_.*|src|src\/koffi|src\/koffi\/src|(?:src\/.*)?(?:index|indirect|static|trampolines)\.c?js|package\.json|licen[cs]e.*)$/i;
  for (const name of [...external, native]) {
    const from = path.join(repository, "node_modules", name);
    if (!existsSync(from)) throw new Error(`${from} does not exist: run \`npm ci\`.`);
    cpSync(from, path.join(to, name), {
      recursive: true,
      filter: (file) => file === from || wanted.test(path.relative(from, file)),
    });
  }
}

/** deb-control(5): lines of a description begin with a space. */
function wrapped(text: string): string {
  return text.replaceAll(/(.{1,78})(?:\s+|$)/g, (_, line: string) => `${line}\n `).trimEnd();
}

function manifestIn(folder: string): { version: string; description: string } {
  return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
    version: string;
    description: string;
  };
}
