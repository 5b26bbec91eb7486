import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import path from "node:path";
import type { DataDirSource, DetectedServer, PluginManifest, ProcessDetection } from "../../base/schema/types.js";
import { type Placeholders, placeholdersOf } from "../../host/manifest/suggestion.js";
import { readRegularFile } from "../../os/path/read-file.js";

/** Of a pid file, bytes: it has a few lines. */
const LARGEST_PID_FILE = 64 * 1024;

/** A running process that a manifest describes. */
export interface FoundServer {
  readonly server: DetectedServer;
  readonly manifest: PluginManifest;
  /** Values for the placeholders of what the manifest suggests. */
  readonly placeholders: Placeholders;
}

/**
 * Finds servers by their processes. If several manifests describe a process, the first one is used. Without root, only the
 * servers of the same user are found.
 */
export function findServers(manifests: readonly PluginManifest[], proc = "/proc"): FoundServer[] {
  if (!manifests.some(({ detects = [] }) => detects.some((one) => one.process !== undefined))) return [];
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => foundIn(path.join(proc, pid), manifests) ?? [])
    .toSorted((a, b) => (a.server.dataDir < b.server.dataDir ? -1 : 1));
}

/** null: no manifest describes the process, or it has just ended. */
function foundIn(dir: string, manifests: readonly PluginManifest[]): FoundServer | null {
  try {
    const name = nameOf(dir);
    for (const manifest of manifests) {
      for (const { title, process: detection } of manifest.detects ?? []) {
        if (detection?.names.includes(name) !== true || isChild(dir, detection.names)) continue;
        const dataDir = dataDirOf(dir, detection);
        if (dataDir === null) continue;
        const pid = Number(path.basename(dir));
        const found = { title, plugin: manifest.name, pid, dataDir, place: placeOf(dir) };
        const server = { ...found, ...socketsOf(dir), unit: unitOf(dir) };
        return { server, manifest, placeholders: placeholdersOf(server, detection, toldBy(dir, dataDir, detection)) };
      }
    }
    return null;
  } catch {
    return null;
  }
}

/** proc_pid_comm(5) */
const nameOf = (dir: string): string => readFileSync(path.join(dir, "comm"), "utf8").trimEnd();

/** The back-ends of PostgreSQL, for example, have the name of the server. */
function isChild(dir: string, names: readonly string[]): boolean {
  const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(path.join(dir, "status"), "utf8"))?.[1] ?? "0";
  return parent !== "0" && names.includes(nameOf(path.join(dir, "..", parent)));
}

/** null: the process has none of the data directories. */
function dataDirOf(dir: string, detection: ProcessDetection): string | null {
  const { dataDir: sources = [{ from: "working-directory" }], contains = "." } = detection;
  const found = sources.map((source) => candidateOf(dir, source));
  return found.find((at) => at !== null && existsSync(inItsRoot(dir, path.join(at, contains)))) ?? null;
}

/** A path as the process sees it: it may run in a container. */
const inItsRoot = (dir: string, file: string): string => path.join(dir, "root", file);

/** Whether the paths of the process have the same meaning here. */
function placeOf(dir: string): DetectedServer["place"] {
  const namespaceOf = (process: string): string => readlinkSync(path.join(path.dirname(dir), process, "ns/mnt"));
  return namespaceOf(path.basename(dir)) === namespaceOf("self") ? "host" : "container";
}

/**
 * What the process wrote in its pid file. Any user can have a process of that name: so only a file of the process's user is used, and a
 * FIFO is not waited for.
 *
 * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
 */
function toldBy(dir: string, dataDir: string, { pidFile }: ProcessDetection): Placeholders {
  if (pidFile === undefined) return {};
  const file = inItsRoot(dir, path.join(dataDir, pidFile.path));
  if (!existsSync(file)) return {};
  const { bytes, status } = readRegularFile(file, LARGEST_PID_FILE);
  if (status.uid !== statSync(dir).uid) return {};
  const lines = bytes.toString().split("\n");
  const told = Object.entries(pidFile.lines).map(([name, line]) => [name, lines[line - 1]?.trim() ?? ""] as const);
  return Object.fromEntries(told.filter(([, value]) => value !== ""));
}

function candidateOf(dir: string, source: DataDirSource): string | null {
  switch (source.from) {
    case "working-directory":
      return readlinkSync(path.join(dir, "cwd"));
    case "argument": {
      const value = argumentOf(readFileSync(path.join(dir, "cmdline"), "utf8").split("\0"), source.name);
      return value === null ? null : path.resolve(readlinkSync(path.join(dir, "cwd")), value);
    }
    case "path":
      return source.path;
  }
}

/** `--name VALUE` or `--name=VALUE`. */
function argumentOf(args: readonly string[], name: string): string | null {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  const value = args[at] === name ? args[at + 1] : args[at]?.slice(name.length + 1);
  return value === undefined || value === "" ? null : value;
}

function socketsOf(dir: string): Pick<DetectedServer, "sockets" | "ports"> {
  // Those of its network namespace.
  const paths = listeningPaths(dir);
  const ports = listeningPorts(dir);
  const links = readdirSync(path.join(dir, "fd")).map((fd) => readlinkSync(path.join(dir, "fd", fd)));
  const inodes = links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
  const own = inodes.flatMap((inode) => ports.get(inode) ?? []);
  return {
    sockets: inodes.flatMap((inode) => paths.get(inode) ?? []),
    ports: [...new Set(own)].toSorted((a, b) => a - b),
  };
}

/** cgroups(7): the path ends with the unit, below it at most a part that the service made itself. */
function unitOf(dir: string): string | null {
  const parts = readFileSync(path.join(dir, "cgroup"), "utf8").trimEnd().split("/");
  return parts.findLast((part) => part.endsWith(".service") && !part.startsWith("user@")) ?? null;
}

/** /proc/net/unix: sockets that accept connections (flag 00010000) and have a path, which is the rest of the line. */
function listeningPaths(proc: string): Map<string, string> {
  const paths = new Map<string, string>();
  const twice = new Set<string>();
  for (const line of textLinesOf(path.join(proc, "net/unix"))) {
    const [, flags, inode = "", name = ""] = /^\s*\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+)(?: (.*))?$/.exec(line) ?? [];
    if (paths.has(inode)) twice.add(inode);
    if (flags === "00010000" && name.startsWith("/")) paths.set(inode, name);
  }
  // The kernel does not escape line ends: the name of a socket can imitate the line of another.
  for (const inode of twice) paths.delete(inode);
  return paths;
}

/** proc_net_tcp(5): ADDRESS:PORT in hexadecimal; state 0A is TCP_LISTEN. */
function listeningPorts(proc: string): Map<string, number> {
  const lines = ["net/tcp", "net/tcp6"].flatMap((file) => linesOf(path.join(proc, file)));
  return new Map(
    lines.flatMap(([, local = "", , state, , , , , , inode = ""]) =>
      state === "0A" ? [[inode, Number.parseInt(local.split(":")[1] ?? "", 16)] as const] : [],
    ),
  );
}

/** The fields of each line below the heading. */
function linesOf(file: string): string[][] {
  return textLinesOf(file).map((line) => line.trim().split(/\s+/));
}

/** The lines below the heading; none where the kernel does not have the table. */
function textLinesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(1) : [];
}
