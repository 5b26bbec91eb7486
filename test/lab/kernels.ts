import { accessSync, constants, existsSync, readdirSync, statfsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { fetchKernel } from "./debian.js";
import { preloadFor } from "./processor.js";

/** A user-mode kernel that can be started here. */
export interface Kernel {
  /** What was asked for: "6.1". */
  readonly name: string;
  /** The full version, as `uname -r` gives it: "6.1.176". */
  readonly version: string;
  readonly binary: string;
  /** The folder of this version's modules. */
  readonly modules: string;
  /** Root of another LVM's files than the host's, see lvm.ts. */
  readonly lvm?: string;
  /** A library that it needs, see ptrace.c. */
  readonly preload: string | undefined;
  /** Arguments of this kernel's own. */
  readonly args: readonly string[];
}

/** Kernels by name, and the Debian suite whose package user-mode-linux each one is. */
const suites = new Map([
  ["6.1", "bookworm"],
  ["6.12", "trixie"],
  ["7.2", "sid"],
]);

export const kernelNames = [...suites.keys()];

/** Newer kernels run a guest's processes by seccomp(2), twice as fast as by ptrace(2), where they are told to. */
const argsOf = new Map([["7.2", ["seccomp=auto"]]]);

/** Memory of a guest, MiB. The kernel keeps it in a file in /dev/shm, of which it uses what the guest uses. */
export const memory = 2048;

/** This kernel cannot be had here; the message says why. */
export class NoKernel extends Error {
  override readonly name = "NoKernel";
}

/**
 * The kernel of that name: the one that Debian's package has installed, the one in the cache, or a new one from Debian's mirror.
 * `fetch: "never"` asks no mirror. Fails with NoKernel.
 */
export function findKernel(name: string, fetch: "if-missing" | "never" = "if-missing"): Kernel {
  const suite = suites.get(name);
  if (suite === undefined) throw new NoKernel(`there is no kernel ${name}; there are ${kernelNames.join(", ")}`);
  const obstacle = obstacleHere();
  if (obstacle !== undefined) throw new NoKernel(obstacle);
  const folder = path.join(cacheFolder(), `linux-${name}`);
  const found = inTree(name, "/usr") ?? inTree(name, path.join(folder, "usr"));
  if (found !== undefined) return found;
  if (fetch === "never") {
    throw new NoKernel(`no user-mode kernel ${name} is installed (npm run test:setup) or in ${folder}`);
  }
  try {
    fetchKernel(suite, folder, (usr) => {
      if (inTree(name, usr) === undefined) throw new Error(`it has another kernel than ${name} now`);
    });
  } catch (error) {
    throw new NoKernel(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const fetched = inTree(name, path.join(folder, "usr"));
  if (fetched === undefined) throw new NoKernel(`${folder} was removed`);
  return fetched;
}

function inTree(name: string, usr: string): Kernel | undefined {
  const binary = path.join(usr, "bin/linux.uml");
  const modules = path.join(usr, "lib/uml/modules");
  if (!existsSync(binary) || !existsSync(modules)) return undefined;
  const version = readdirSync(modules).find((entry) => entry.startsWith(`${name}.`));
  if (version === undefined) return undefined;
  return {
    name,
    version,
    binary,
    modules: path.join(modules, version),
    preload: preload(name),
    args: argsOf.get(name) ?? [],
  };
}

function preload(name: string): string | undefined {
  try {
    return preloadFor(name, cacheFolder());
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new NoKernel(`kernel ${name} needs test/lab/ptrace.c, and it can't be compiled: ${said}`, {
      cause: error,
    });
  }
}

export function cacheFolder(): string {
  const own = process.env["HOLDSTILL_LAB_CACHE"];
  if (own !== undefined && own !== "") return path.resolve(own);
  const xdg = process.env["XDG_CACHE_HOME"];
  return path.join(xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(homedir(), ".cache"), "holdstill/lab");
}

/** What the guest takes from the host's /usr, beside the kernel. */
const tools = ["modprobe", "lvm", "dmsetup", "thin_check", "mkfs.ext4", "mkfs.xfs", "mkfs.f2fs", "cryptsetup", "mdadm"];

function obstacleHere(): string | undefined {
  if (process.platform !== "linux") return "a user-mode kernel runs on Linux only";
  const missing = tools.filter((tool) => !["/usr/sbin", "/sbin"].some((dir) => isProgram(path.join(dir, tool))));
  if (missing.length > 0) return `not installed: ${missing.join(", ")}; npm run test:setup installs what the lab needs`;
  const { bavail, bsize } = statfsSync("/dev/shm");
  const free = Math.floor((bavail * bsize) / 2 ** 20);
  return free < memory ? `a guest needs ${memory} MiB in /dev/shm, where ${free} are free` : undefined;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
