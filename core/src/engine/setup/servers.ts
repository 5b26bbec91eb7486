import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import type { DataDirSource, DetectedServer, PluginManifest, ProcessDetection } from "../../base/schema/types.js";
import { type Placeholders, placeholdersOf } from "../../host/manifest/suggestion.js";

/** A running process that a manifest describes. */
export interface FoundServer {
  readonly server: DetectedServer;
  readonly manifest: PluginManifest;
  /** Values for the placeholders of what the manifest suggests. */
  readonly placeholders: Placeholders;
}

/** What the kernel reports about the sockets of this network namespace that accept connections, by inode. */
interface Listeners {
  /** Path of a Unix socket. */
  readonly paths: ReadonlyMap<string, string>;
  readonly ports: ReadonlyMap<string, number>;
}

/**
 * Finds servers by their processes. If several manifests describe a process, the first one is used. Without root, only the
 * servers of the same user are found.
 */
export function findServers(manifests: readonly PluginManifest[], proc = "/proc"): FoundServer[] {
  if (!manifests.some(({ detects = [] }) => detects.some((one) => one.process !== undefined))) return [];
  const listeners: Listeners = { paths: listeningPaths(proc), ports: listeningPorts(proc) };
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => foundIn(path.join(proc, pid), manifests, listeners) ?? [])
    .toSorted((a, b) => (a.server.dataDir < b.server.dataDir ? -1 : 1));
}

/** null: no manifest describes the process, or it has just ended. */
function foundIn(dir: string, manifests: readonly PluginManifest[], listeners: Listeners): FoundServer | null {
  try {
    const name = nameOf(dir);
    for (const manifest of manifests) {
      for (const { title, process: detection } of manifest.detects ?? []) {
        if (detection?.names.includes(name) !== true || isChild(dir, detection.names)) continue;
        const dataDir = dataDirOf(dir, detection);
        if (dataDir === null) continue;
        const pid = Number(path.basename(dir));
        const server = { title, plugin: manifest.name, pid, dataDir, ...socketsOf(dir, listeners), unit: unitOf(dir) };
        return { server, manifest, placeholders: placeholdersOf(server, detection) };
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
  return found.find((at) => at !== null && existsSync(path.join(at, contains))) ?? null;
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

function socketsOf(dir: string, { paths, ports }: Listeners): Pick<DetectedServer, "sockets" | "ports"> {
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

/** /proc/net/unix: sockets that accept connections (flag 00010000) and have a path. */
function listeningPaths(proc: string): Map<string, string> {
  return new Map(
    linesOf(path.join(proc, "net/unix")).flatMap(([, , , flags, , , inode = "", name = ""]) =>
      flags === "00010000" && name.startsWith("/") ? [[inode, name] as const] : [],
    ),
  );
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

/** The fields of each line below the heading; none where the kernel does not have the table. */
function linesOf(file: string): string[][] {
  if (!existsSync(file)) return [];
  const [, ...lines] = readFileSync(file, "utf8").split("\n");
  return lines.map((line) => line.trim().split(/\s+/));
}
