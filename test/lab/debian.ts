import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { atExit } from "../rig/at-exit.js";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Puts the user-mode kernel of a Debian suite into `target`, with that suite's libc, because the host's may be older than the
 * one that it was linked with. apt checks the signatures; it works on lists of its own, so that the host's stay as they are.
 * `judge` looks at the tree before it becomes `target`, and refuses it by throwing. Fails with what apt said.
 */
export function fetchKernel(suite: string, target: string, judge: (usr: string) => void): void {
  mkdirSync(path.dirname(target), { recursive: true });
  // Beside the target, so that the last step is a rename: another process sees the whole kernel or none.
  const work = mkdtempSync(`${target}.`);
  const remove = (): void => rmSync(work, { recursive: true, force: true });
  const callOff = atExit(remove);
  try {
    const tree = path.join(work, "tree");
    download(suite, work, tree);
    useOwnLibc(tree, target);
    judge(path.join(tree, "usr"));
    rmSync(target, { recursive: true, force: true });
    renameSync(tree, target);
  } catch (error) {
    throw new Error(`Debian's ${suite} gave no user-mode kernel: ${reason(error)}`, { cause: error });
  } finally {
    callOff();
    remove();
  }
}

function download(suite: string, work: string, tree: string): void {
  for (const folder of ["state/lists/partial", "cache/archives/partial", "packages", "tree"]) {
    mkdirSync(path.join(work, folder), { recursive: true });
  }
  const sources = path.join(work, "kernel.sources");
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
  run("apt-get", ["-qq", ...options, "download", "user-mode-linux", "libc6"], packages);
  for (const file of readdirSync(packages)) run("dpkg-deb", ["-x", file, tree], packages);
}

/** Makes the binary in `tree` use the libc of the tree, once that lies at `target`. Starting it by way of ld.so fails. */
function useOwnLibc(tree: string, target: string): void {
  const files = readdirSync(tree, { recursive: true, encoding: "utf8" });
  const loader = files.find((file) => /^usr\/lib\/[^/]+\/ld-linux[^/]*\.so\.\d$/.test(file));
  if (loader === undefined) throw new Error("its libc6 has no ld-linux.so");
  const binary = path.join(tree, "usr/bin/linux.uml");
  const libraries = path.join(target, path.dirname(loader));
  run("patchelf", ["--set-interpreter", path.join(target, loader), "--set-rpath", libraries, binary], tree);
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
