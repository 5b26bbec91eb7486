import { existsSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { yamlOf } from "../../base/config/document.js";
import { hasControlCharacters, spelled } from "../../base/display/visible.js";
import { loadSettings } from "../../base/config/load.js";
import { volumeName } from "../../base/display/volume-name.js";
import type { DetectedServer, PluginManifest, Volume } from "../../base/schema/types.js";
import type { Usable } from "../../host/manifest/judge.js";
import { inspectPlugins } from "../../host/manifest/resolve.js";
import {
  missingOptions,
  type Placeholders,
  suggestedInstance,
  suggestedSetup,
} from "../../host/manifest/suggestion.js";
import { installation } from "../../installation.js";
import { isWithin } from "../../os/mounts.js";
import { locate } from "../../plan/locate.js";
import { detectedVolumes } from "./detected-volumes.js";
import { describeServer } from "./doctor.js";
import { findServers, type FoundServer } from "./servers.js";
import { silentWriters, type SuggestedWriter } from "./silent-writers.js";

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

/**
 * Writes a config for what the manifests of the installed plugins describe and this machine has, with every line explained.
 *
 * @param proc Where proc(5) is mounted.
 */
export async function draftConfig(env: NodeJS.ProcessEnv = process.env, proc = "/proc"): Promise<Draft> {
  const settings = await loadSettings({ folders: [], env: { ...env, HOLDSTILL_CONFIG: "" } });
  const { pluginPaths } = settings;
  const { usable } = await inspectPlugins(settings);
  const manifests = usable.map(({ read }) => read.manifest);
  const all = findServers(manifests, proc);
  const servers = all.filter(({ server, placeholders }) => !isUnprintable(server, placeholders));
  const names = new Set<string>();
  const suggested = servers.map((found) => suggestionFor(found, names));
  const refused = await silentWriters(settings, pluginPaths, suggested);
  const writers = suggested.map((one) => writerBlock(one, usable, refused.has(one.name)));
  const volumes = volumesOf(servers);
  const providers = usable.flatMap((plugin) => providerBlock(plugin, volumes));
  const fallback = usable.find(({ read }) => read.manifest.fallback === true);
  const blocks = [...writers, ...providers, ...(providers.length > 0 && fallback ? [fallbackBlock(fallback)] : [])];
  const targets = suggested.filter(({ obstacle }) => obstacle === null).map(({ name }) => `writer:${name}`);
  const notes = [
    ...all.filter((found) => !servers.includes(found)).flatMap(({ server }) => whyLeftOut(server)),
    ...(writers.length === 0 ? writersInstalled(usable) : []),
    ...(providers.length === 0 && fallback !== undefined ? whyNoProvider(fallback.read.manifest) : []),
  ];
  const used = pluginPaths.filter(
    (one) => existsSync(one) && blocks.some(({ dir }) => isWithin(dir, realpathSync(one))),
  );
  return { targets, text: textOf({ blocks, notes, pluginPaths: used }, targets) };
}

function suggestionFor(found: FoundServer, names: Set<string>): SuggestedWriter {
  const instance = suggestedInstance(found.manifest, found.placeholders);
  const missing = missingOptions(found.manifest, instance);
  const obstacle =
    found.server.place === "container"
      ? "It runs in a container: its paths and its sockets are not those of this machine. Give the options as holdstill reaches them, or freeze its unit or control group with another writer."
      : missing.length > 0
        ? `The value of ${missing.join(" and ")} could not be found out: add it, and remove the signs of the comment.`
        : null;
  // A comment takes no name from another instance.
  return { ...instance, found, obstacle, name: obstacle === null ? unique(instance.name, names) : instance.name };
}

/** @param isSilent As suggested, the writer cannot identify its components. */
function writerBlock(
  { found, name, options, obstacle }: SuggestedWriter,
  usable: readonly Usable[],
  isSilent: boolean,
): Block {
  const { server, manifest, placeholders } = found;
  const setup = isSilent ? suggestedSetup(manifest, placeholders) : null;
  const lines = [
    useLine(manifest, usable),
    `  as: ${yamlOf(name, "PLAIN")}`,
    "  policy: required   # best-effort: if it fails, the set is made without it",
    ...optionLines({ ...options, ...setup?.options }),
  ];
  return {
    dir: usable.find(({ read }) => read.manifest === manifest)?.dir ?? "",
    lines: [
      `# ${spelled(describeServer(server))}`,
      ...(setup?.steps ?? []).map((step) => `# ${spelled(step)}`),
      ...(obstacle === null ? lines : [...commentLines(obstacle), ...lines.map((line) => `# ${line}`)]),
    ],
  };
}

/** A bundled plugin always has the version of this installation: a range would only fail after an upgrade. */
function useLine(manifest: PluginManifest, usable: readonly Usable[]): string {
  const { name, version } = manifest;
  const dir = usable.find(({ read }) => read.manifest === manifest)?.dir ?? "";
  const isBundled = isWithin(dir, realpathSync(installation.bundledPlugins));
  return `- use: ${yamlOf(isBundled ? name : `${name}@^${version}`, "PLAIN")}`;
}

function providerBlock(plugin: Usable, volumes: readonly Volume[]): Block[] {
  const {
    read: { manifest },
    dir,
  } = plugin;
  const detected = detectedVolumes(manifest, volumes);
  if (detected.length === 0) return [];
  const { name, options } = suggestedInstance(manifest);
  return [
    {
      dir,
      lines: [
        ...detected.map(({ volume, title }) =>
          spelled(
            volume.kind === "block"
              ? `# ${volumeName(volume)}: ${title}`
              : `# ${volume.mountPoint} is on ${volume.source}: ${title}`,
          ),
        ),
        useLine(manifest, [plugin]),
        ...(name === manifest.name ? [] : [`  as: ${yamlOf(name, "PLAIN")}`]),
        ...optionLines(options),
      ],
    },
  ];
}

function fallbackBlock(plugin: Usable): Block {
  return { dir: plugin.dir, lines: ["# Every other volume:", useLine(plugin.read.manifest, [plugin])] };
}

/** A process chooses the names of its folder and its sockets. With control characters they may imitate other lines. */
const isUnprintable = (server: DetectedServer, placeholders: Placeholders): boolean =>
  [server.dataDir, ...server.sockets, server.unit ?? "", ...Object.values(placeholders)].some((text) =>
    hasControlCharacters(text),
  );

const whyLeftOut = (server: DetectedServer): string[] =>
  commentLines(`Left out, because a name has control characters: ${describeServer(server)}`);

function optionLines(options: Record<string, unknown>): string[] {
  const lines = Object.entries(options).map(([key, value]) => `    ${yamlOf(key, "PLAIN")}: ${yamlOf(value)}`);
  return lines.length === 0 ? [] : ["  options:", ...lines];
}

function writersInstalled(usable: readonly Usable[]): string[] {
  const writers = usable.map(({ read }) => read.manifest).filter(({ kind }) => kind === "writer");
  return [
    "# No running application was detected. The installed writers:",
    ...writers.flatMap((manifest) => [
      `# ${useLine(manifest, usable)}`,
      ...commentLines(manifest.description ?? "", "      "),
    ]),
  ];
}

const whyNoProvider = ({ name, description = "" }: PluginManifest): string[] =>
  commentLines(`Without a provider in this list, holdstill uses ${name}: ${description}`);

/** Columns of a comment, without the two before the list of plugins. */
const widest = 78;

function commentLines(text: string, indent = ""): string[] {
  const lines: string[] = [];
  for (const word of spelled(text.replaceAll(/\s+/g, " "))
    .split(" ")
    .filter((one) => one !== "")) {
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
  // A list of comments alone would be no list, and every command would refuse the config.
  const isEmpty = list.every((line) => line.trimStart().startsWith("#"));
  const paths = pluginPaths.length === 0 ? "" : `pluginPaths: ${yamlOf(pluginPaths)}\n\n`;
  return `# holdstill on ${hostname()}, made by \`holdstill init\`. \`holdstill doctor\` checks it;
# \`holdstill plan ${targets[0] ?? "/srv"}\` shows what a snapshot would do.

${paths}plugins:${isEmpty ? " []" : ""}
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
