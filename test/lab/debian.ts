import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { atExit } from "../support/process/at-exit.js";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Puts the user-mode kernel of a Debian suite into `target`, with that suite's libc, because the host's may be older than the
 * one that it was linked with. apt checks the signatures; it works on lists of its own, so that the host's stay as they are.
 * `judge` looks at the tree before it becomes `target`, and refuses it by throwing. Fails with what apt said.
 */
export function fetchKernel(suite: string, target: string, judge: (usr: string) => void): void {
  fetchTree(suite, target, { get: ["download", "user-mode-linux", "libc6"], programs: ["linux.uml"], judge });
}

/** Puts LVM and dmsetup of a suite into `target`, with all libraries that they need. Fails with what apt said. */
export function fetchLvm(suite: string, target: string): void {
  const get = ["install", "--download-only", "--no-install-recommends", "--yes", "lvm2"];
  fetchTree(suite, target, { get, programs: ["lvm", "dmsetup"], judge: () => {} });
}

interface Wanted {
  /** A command of apt-get that downloads packages, with its arguments. */
  readonly get: readonly string[];
  /** What is to use the libraries of the tree. */
  readonly programs: readonly string[];
  readonly judge: (usr: string) => void;
}

function fetchTree(suite: string, target: string, { get, programs, judge }: Wanted): void {
  mkdirSync(path.dirname(target), { recursive: true });
  // Beside the target, so that the last step is a rename: another process sees the whole or nothing.
  const work = mkdtempSync(`${target}.`);
  const remove = (): void => rmSync(work, { recursive: true, force: true });
  const callOff = atExit(remove);
  try {
    const tree = path.join(work, "tree");
    download(suite, work, tree, get);
    useOwnLibc(tree, target, programs);
    judge(path.join(tree, "usr"));
    rmSync(target, { recursive: true, force: true });
    renameSync(tree, target);
  } catch (error) {
    throw new Error(`Debian's ${suite} gave no ${programs[0]}: ${reason(error)}`, { cause: error });
  } finally {
    callOff();
    remove();
  }
}

function download(suite: string, work: string, tree: string, get: readonly string[]): void {
  for (const folder of ["state/lists/partial", "cache/archives/partial", "packages", "tree"]) {
    mkdirSync(path.join(work, folder), { recursive: true });
  }
  const sources = path.join(work, "debian.sources");
  const lines = ["Types: deb", `URIs: ${mirror()}`, `Suites: ${suite}`, "Components: main", `Signed-By: ${keyring}`];
  writeFileSync(sources, `${lines.join("\n")}\n`);
  writeFileSync(path.join(work, "status"), "");
  const settings = {
    "Dir::Etc::sourcelist": sources,
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::State": path.join(work, "state"),
    "Dir::State::status": path.join(work, "status"),
    "Dir::Cache": path.join(work, "cache"),
    // The cache folder may be one that only this user can enter.
    "APT::Sandbox::User": "root",
    "APT::Update::Error-Mode": "any",
    "Acquire::Languages": "none",
    "Acquire::Retries": "1",
    "Acquire::http::Timeout": "20",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const packages = path.join(work, "packages");
  run("apt-get", ["-qq", ...options, "update"], packages);
  run("apt-get", ["-qq", ...options, ...get], packages);
  // `download` puts them here, `install` into its cache.
  for (const folder of [packages, path.join(work, "cache/archives")]) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb")))
      run("dpkg-deb", ["-x", file, tree], folder);
  }
}

/**
 * Makes programs in `tree` use the libraries of the tree, once that lies at `target`. Starting them by way of ld.so fails. Until
 * Debian 11 some lay outside /usr.
 */
function useOwnLibc(tree: string, target: string, programs: readonly string[]): void {
  const files = readdirSync(tree, { recursive: true, encoding: "utf8" });
  const loader = files.find((file) => /^(usr\/)?lib\/[^/]+\/ld-linux[^/]*\.so\.\d$/.test(file));
  if (loader === undefined) throw new Error("its libc6 has no ld-linux.so");
  const triple = path.basename(path.dirname(loader));
  const libraries = ["usr/lib", "lib"].map((folder) => path.join(target, folder, triple)).join(":");
  for (const program of programs) {
    const binary = files.find((file) => /^(usr\/)?s?bin\//.test(file) && path.basename(file) === program);
    if (binary === undefined) throw new Error(`it has no ${program}`);
    // The old form of the path: it holds for the libraries that libraries need, too.
    const how = ["--set-interpreter", path.join(target, loader), "--force-rpath", "--set-rpath", libraries];
    run("patchelf", [...how, path.join(tree, binary)], tree);
  }
}

/** Where this machine gets Debian from, or Debian's own address. */
function mirror(): string {
  const wanted = ["indextargets", "--format", "$(SITE)", "Origin: Debian", "Label: Debian", "Created-By: Packages"];
  const [first = ""] = execFileSync("apt-get", wanted, { encoding: "utf8" }).split("\n");
  return first === "" ? "http://deb.debian.org/debian" : first;
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "pipe"], timeout: 5 * 60_000 });
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const said = "stderr" in error && Buffer.isBuffer(error.stderr) ? error.stderr.toString().trim() : "";
  return said === "" ? error.message : said;
}
