import { existsSync, mkdirSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { syncDir, writeDurably } from "../../store/state-directory.js";
import { loadSettings } from "../../base/config/load.js";
import { xdg } from "../../base/config/settings.js";
import { HoldstillError } from "../../base/errors/error.js";
import { inspectPlugins } from "../../host/manifest/resolve.js";
import type { Volume } from "../../base/schema/types.js";
import { findServers, type Server } from "./servers.js";
import { locate } from "../../plan/locate.js";
import { describeChecks } from "./doctor.js";

/** A config that fits this machine, and the targets that a first plan would have. */
export interface Draft {
  text: string;
  targets: string[];
}

/** The plugin for each kind of server, and its options. */
const writers = {
  postgres: { plugin: "writer-postgres", prefix: "pg", options: postgresOptions },
  mysql: { plugin: "writer-mysql", prefix: "mysql", options: mysqlOptions },
} as const;

/** Writes a config for the database servers that run here, with every line explained. */
export async function draftConfig(env: NodeJS.ProcessEnv = process.env, servers = findServers()): Promise<Draft> {
  const settings = await loadSettings({ folders: [], env: { ...env, HOLDSTILL_CONFIG: "" } });
  const { found } = await inspectPlugins(settings);
  const versionOf = (plugin: string): string | undefined => found.find(({ name }) => name === plugin)?.version;
  const names = new Set<string>();
  const blocks = servers.map((server) => {
    const { plugin, prefix, options } = writers[server.kind];
    const version = versionOf(plugin);
    if (version === undefined)
      return { name: null, lines: [`  # ${describeChecks(server)}: ${plugin} is not installed.`] };
    const name = unique(`${prefix}-${instanceName(server)}`, names);
    return {
      name,
      lines: [
        `  # ${describeChecks(server)}`,
        `  - use: ${plugin}@^${version}`,
        `    as: ${name}`,
        "    policy: required   # best-effort: where it fails the set is made without it",
        "    options:",
        ...Object.entries(options(server)).map(([key, value]) => `      ${key}: ${JSON.stringify(value)}`),
      ],
    };
  });
  const lvm = versionOf("provider-lvm");
  const volumes = logicalVolumes(servers);
  const providers =
    lvm === undefined || volumes.length === 0
      ? ["  # Where no provider is named, provider-reflink is taken: it clones, or copies."]
      : [
          ...volumes.map(({ mountPoint, source }) => `  # ${mountPoint} is on ${source}: LVM takes its snapshot.`),
          `  - use: provider-lvm@^${lvm}`,
          "  # What lies elsewhere: clones where the file system can, else copies.",
          `  - use: provider-reflink@^${versionOf("provider-reflink") ?? "1"}`,
        ];
  const targets = blocks.flatMap(({ name }) => (name === null ? [] : [`writer:${name}`]));
  const none =
    "  # No database server was found running. A writer is named like this:\n  # - { use: writer-postgres@^1, as: pg-main, options: { host: /run/postgresql } }";
  return {
    targets,
    text: textOf([...(blocks.length === 0 ? [none] : blocks.flatMap(({ lines }) => lines)), ...providers], targets),
  };
}

/** File systems of the servers' data that lie on logical volumes. */
function logicalVolumes(servers: readonly Server[]): Volume[] {
  try {
    const { volumes } = locate(servers.map(({ dataDir }) => ({ paths: [dataDir], exclude: [] })));
    return volumes.filter(({ devices: [top] }) => top?.kind === "lvm");
  } catch {
    // A server that has just ended, or whose data we may not see.
    return [];
  }
}

function textOf(blocks: readonly string[], targets: readonly string[]): string {
  return `# holdstill on ${hostname()}, made by \`holdstill init\`. \`holdstill doctor\` checks it;
# \`holdstill plan ${targets[0] ?? "/srv"}\` shows what a snapshot would do.

plugins:
${blocks.join("\n")}

# The longest time of each part; these are the defaults.
# limits: { queue: 10m, prepare: 10m, freeze: 60s, hold: 10s,
#           copy: 1h, seal: 5m, abort: 30s }

# log: { level: info, file: /var/log/holdstill.jsonl }   # not on a volume that is captured
`;
}

function postgresOptions({ sockets }: Server): Record<string, string | number> {
  const socket = sockets.find((name) => path.basename(name).startsWith(".s.PGSQL.")) ?? "/run/postgresql/.s.PGSQL.5432";
  return { host: path.dirname(socket), port: Number(socket.split(".").at(-1)) };
}

function mysqlOptions({ sockets }: Server): Record<string, string | number> {
  // MySQL's X plugin listens, too, and speaks another protocol.
  const socket = sockets.find((name) => !path.basename(name).startsWith("mysqlx"));
  return { socket: socket ?? "/run/mysqld/mysqld.sock" };
}

/** postgresql@15-main.service is called main, /var/lib/mysql is called mysql. */
function instanceName({ dataDir }: Server): string {
  const name = path.basename(dataDir) === "data" ? path.basename(path.dirname(dataDir)) : path.basename(dataDir);
  return name.toLowerCase().replaceAll(/[^a-z0-9._-]/g, "-");
}

function unique(wanted: string, names: Set<string>): string {
  let name = wanted;
  for (let n = 2; names.has(name); n += 1) name = `${wanted}-${n}`;
  names.add(name);
  return name;
}

/** Where a config is looked for that nobody named. */
export function usualFile(env: NodeJS.ProcessEnv = process.env): string {
  const folder = process.geteuid?.() === 0 ? "/etc" : xdg(env, "XDG_CONFIG_HOME", ".config");
  return path.join(folder, "holdstill", "holdstill.yaml");
}

/** @throws HoldstillError E_USAGE when there is one already. */
export function writeConfig(file: string, text: string): void {
  if (existsSync(file)) {
    const problem = `There is a config already: ${file}.`;
    throw new HoldstillError("E_USAGE", { problem, hint: "`holdstill init --print` shows what would be written." });
  }
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  writeDurably(file, text);
  syncDir(path.dirname(file));
}
