import { existsSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { loadSettings } from "../../base/config/load.js";
import type { PluginManifest, Volume } from "../../base/schema/types.js";
import type { Usable } from "../../host/manifest/judge.js";
import { inspectPlugins } from "../../host/manifest/resolve.js";
import { suggestedInstance } from "../../host/manifest/suggestion.js";
import { isWithin } from "../../os/mounts.js";
import { locate } from "../../plan/locate.js";
import { detectedVolumes } from "./detected-volumes.js";
import { describeServer } from "./doctor.js";
import { findServers, type FoundServer } from "./servers.js";

/** A config that fits this machine, and the targets that a first plan would have. */
export interface Draft {
  text: string;
  targets: string[];
}

/** Entries of the config's list of plugins, as lines, with the folder of each plugin. */
interface Block {
  readonly lines: readonly string[];
  readonly dir: string;
}

/** Where packages install plugins. A draft names it if it uses one of them. */
const usualPluginPath = "/usr/lib/holdstill/plugins";

/**
 * Writes a config for what the manifests of the installed plugins describe and this machine has, with every line explained.
 *
 * @param proc Where proc(5) is mounted.
 */
export async function draftConfig(env: NodeJS.ProcessEnv = process.env, proc = "/proc"): Promise<Draft> {
  const settings = await loadSettings({ folders: [], env: { ...env, HOLDSTILL_CONFIG: "" } });
  const pluginPaths = [...settings.pluginPaths, ...(existsSync(usualPluginPath) ? [usualPluginPath] : [])];
  const { usable } = await inspectPlugins({ ...settings, pluginPaths });
  const manifests = usable.map(({ read }) => read.manifest);
  const servers = findServers(manifests, proc);
  const names = new Set<string>();
  const writers = servers.map((found) => writerBlock(found, usable, names));
  const volumes = volumesOf(servers);
  const providers = usable.flatMap((plugin) => providerBlock(plugin, volumes));
  const fallback = usable.find(({ read }) => read.manifest.fallback === true);
  const blocks = [...writers, ...providers, ...(providers.length > 0 && fallback ? [fallbackBlock(fallback)] : [])];
  const targets = [...names].map((name) => `writer:${name}`);
  const notes = [
    ...(writers.length === 0 ? writersInstalled(usable) : []),
    ...(providers.length === 0 && fallback !== undefined ? whyNoProvider(fallback.read.manifest) : []),
  ];
  const used = pluginPaths.filter(
    (one) => existsSync(one) && blocks.some(({ dir }) => isWithin(dir, realpathSync(one))),
  );
  return { targets, text: textOf({ blocks, notes, pluginPaths: used }, targets) };
}

function writerBlock(
  { server, manifest, placeholders }: FoundServer,
  usable: readonly Usable[],
  names: Set<string>,
): Block {
  const { name: wanted, options } = suggestedInstance(manifest, placeholders);
  const name = unique(wanted, names);
  return {
    dir: usable.find(({ read }) => read.manifest === manifest)?.dir ?? "",
    lines: [
      `# ${describeServer(server)}`,
      `- use: ${manifest.name}@^${manifest.version}`,
      `  as: ${name}`,
      "  policy: required   # best-effort: if it fails, the set is made without it",
      ...optionLines(options),
    ],
  };
}

function providerBlock({ read: { manifest }, dir }: Usable, volumes: readonly Volume[]): Block[] {
  const detected = detectedVolumes(manifest, volumes);
  if (detected.length === 0) return [];
  const { name, options } = suggestedInstance(manifest);
  return [
    {
      dir,
      lines: [
        ...detected.map(({ volume: { mountPoint, source }, title }) => `# ${mountPoint} is on ${source}: ${title}`),
        `- use: ${manifest.name}@^${manifest.version}`,
        ...(name === manifest.name ? [] : [`  as: ${name}`]),
        ...optionLines(options),
      ],
    },
  ];
}

function fallbackBlock({ read: { manifest }, dir }: Usable): Block {
  return { dir, lines: ["# Every other volume:", `- use: ${manifest.name}@^${manifest.version}`] };
}

function optionLines(options: Record<string, unknown>): string[] {
  const lines = Object.entries(options).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`);
  return lines.length === 0 ? [] : ["  options:", ...lines];
}

function writersInstalled(usable: readonly Usable[]): string[] {
  const writers = usable.map(({ read }) => read.manifest).filter(({ kind }) => kind === "writer");
  return [
    "# No running application was detected. The installed writers:",
    ...writers.flatMap(({ name, version, description = "" }) => [
      `# - use: ${name}@^${version}`,
      ...commentLines(description, "      "),
    ]),
  ];
}

const whyNoProvider = ({ name, description = "" }: PluginManifest): string[] =>
  commentLines(`Without a provider in this list, holdstill uses ${name}: ${description}`);

/** Columns of a comment, without the two before the list of plugins. */
const widest = 78;

function commentLines(text: string, indent = ""): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((one) => one !== "")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && longer.length <= widest) lines[lines.length - 1] = longer;
    else lines.push(`# ${indent}${word}`);
  }
  return lines;
}

/** The volumes with the servers' data. */
function volumesOf(servers: readonly FoundServer[]): Volume[] {
  try {
    return locate(servers.map(({ server }) => ({ paths: [server.dataDir], exclude: [] }))).volumes;
  } catch {
    // A server that has just ended, or whose data this user may not read.
    return [];
  }
}

interface Parts {
  readonly blocks: readonly Block[];
  readonly notes: readonly string[];
  readonly pluginPaths: readonly string[];
}

function textOf({ blocks, notes, pluginPaths }: Parts, targets: readonly string[]): string {
  const list = [...blocks.flatMap(({ lines }) => lines), ...notes].map((line) => `  ${line}`);
  const paths = pluginPaths.length === 0 ? "" : `pluginPaths: ${JSON.stringify(pluginPaths)}\n\n`;
  return `# holdstill on ${hostname()}, made by \`holdstill init\`. \`holdstill doctor\` checks it;
# \`holdstill plan ${targets[0] ?? "/srv"}\` shows what a snapshot would do.

${paths}plugins:${blocks.length === 0 ? " []" : ""}
${list.join("\n")}

# The longest time of each part; these are the defaults.
# limits: { queue: 10m, prepare: 10m, freeze: 60s, hold: 10s,
#           copy: 1h, seal: 5m, abort: 30s }

# log: { level: info, file: /var/log/holdstill.jsonl }   # not on a volume that is captured
`;
}

function unique(wanted: string, names: Set<string>): string {
  let name = wanted;
  for (let n = 2; names.has(name); n += 1) name = `${wanted}-${n}`;
  names.add(name);
  return name;
}
