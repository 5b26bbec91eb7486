import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { onEnd } from "../support/process/on-end.js";
import type { ScriptResult } from "../support/process/run-script.js";
import { tempDir } from "../support/storage/temp.js";

const cache = process.env["HOLDSTILL_CACHE"] ?? "/var/cache/holdstill";

/**
 * The first process of new mount, process, and network namespaces: what it mounts is not seen outside, and all that runs there ends
 * with it. The root is a layer over the cached one, so that it begins clean.
 */
const script = `
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
mount --rbind -o ro /sys "$2/root/sys"
mount --rbind /dev "$2/root/dev"
mount -t tmpfs tmpfs "$2/root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$2/root/run"
mkdir "$2/root/packages"
mount --bind "$3" "$2/root/packages"
cd "$2/root"
pivot_root . mnt
exec chroot . sh -c 'umount -l /mnt && echo ready && exec sleep infinity'
`;

/** A clean Debian. */
export class DebianRoot {
  readonly #pid: number;

  private constructor(pid: number) {
    this.#pid = pid;
  }

  /** Why there is none here; null: there is one. */
  static obstacle(suite: string): string | null {
    if (process.getuid?.() !== 0) return "a clean Debian needs root";
    return existsSync(path.join(cache, suite, "etc/debian_version"))
      ? null
      : `there is no Debian ${suite}: npm run test:setup`;
  }

  /** @param packages A folder, which is /packages there. */
  static async start(t: TestContext, suite: string, packages: string): Promise<DebianRoot> {
    const dir = path.join(tempDir(t), "debian");
    mkdirSync(dir);
    const lower = path.join(cache, suite);
    const unshare = [
      "--mount",
      "--pid",
      "--net",
      "--fork",
      "--kill-child",
      "sh",
      "-c",
      script,
      "sh",
      lower,
      dir,
      packages,
    ];
    const child = spawn("unshare", unshare, { stdio: ["ignore", "pipe", "inherit"] });
    onEnd(t, () => ended(child));
    await once(child.stdout, "data");
    const [inner = 0] = childrenOf(child.pid ?? 0);
    return new DebianRoot(inner);
  }

  /** Runs a line of shell there. */
  run(line: string): Promise<ScriptResult> {
    return this.start(line).result;
  }

  /** The same, without waiting for it. */
  start(line: string): { child: ChildProcess; result: Promise<ScriptResult> } {
    const enter = ["--target", String(this.#pid), "--mount", "--pid", "--net", "--"];
    const env = {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/root",
      LC_ALL: "C.UTF-8",
      DEBIAN_FRONTEND: "noninteractive",
    };
    const child = spawn("nsenter", [...enter, "sh", "-c", line], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (part: string) => (text.stdout += part));
    child.stderr.setEncoding("utf8").on("data", (part: string) => (text.stderr += part));
    const result = once(child, "close").then(([exitCode]) => ({ ...text, exitCode: exitCode as number | null }));
    return { child, result };
  }

  /** Paths of everything in the root's file systems, apart from what dpkg itself remembers. */
  async files(): Promise<string[]> {
    const without = ["/proc", "/sys", "/dev", "/tmp", "/packages", "/var/lib/dpkg", "/var/log", "/var/cache"];
    const prune = without.map((one) => `-path ${one} -prune`).join(" -o ");
    const { stdout } = await this.run(`find / ${prune} -o -print`);
    return stdout.trim().split("\n").toSorted();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, "exit");
  // The first process of the namespace ends with it, and with that one all others.
  child.kill("SIGKILL");
  await over;
}

function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}

/** The same package with another version and a file more, as an upgrade. @returns Its name. */
export function laterVersion(folder: string, name: string, version: string): string {
  const later = `later_${version}.deb`;
  const lines = `
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dpkg-deb -R "$1" "$work/tree"
sed -i "s/^Version: .*/Version: $2/" "$work/tree/DEBIAN/control"
sed -i "s/\\"version\\": \\"[^\\"]*\\"/\\"version\\": \\"$2\\"/" "$work/tree/usr/lib/holdstill/program/core/package.json"
echo "// later" >>"$work/tree/usr/lib/holdstill/program/plugins/writer-exec/dist/index.js"
head -c 40000000 /dev/urandom >"$work/tree/usr/lib/holdstill/program/core/bin/large"
dpkg-deb --root-owner-group -Znone --build "$work/tree" "$3"`;
  const made = spawnSync("sh", ["-c", lines, "sh", path.join(folder, name), version, path.join(folder, later)], {
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(made.stderr);
  return later;
}
