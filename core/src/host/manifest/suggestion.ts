import path from "node:path";
import type { DetectedServer, PluginManifest, ProcessDetection } from "../../base/schema/types.js";

/** A block of the config that a manifest suggests, with its placeholders replaced. */
export interface SuggestedInstance {
  name: string;
  options: Record<string, unknown>;
}

/** Values by the name of their placeholder. */
export type Placeholders = Readonly<Record<string, string>>;

/** Placeholders that have the same meaning in every manifest; the named groups of `socket` are added to them. */
const common = ["dataDir", "name", "socket", "socketDir", "host", "port", "unit"] as const;

/**
 * The values that a server has for the placeholders of its plugin's suggestion.
 *
 * @param told What its pid file tells, by placeholder.
 */
export function placeholdersOf(
  server: DetectedServer,
  detection: ProcessDetection,
  told: Placeholders = {},
): Placeholders {
  const { dataDir, sockets, ports, unit } = server;
  const pattern = new RegExp(detection.socket ?? "", "u");
  const socket = sockets.find((file) => pattern.test(path.basename(file)));
  const { socketDir: toldDir = "", address, ...rest } = told;
  // A relative folder, and an abstract socket, are none that a client could name.
  const absolute = [toldDir, socket === undefined ? "" : path.dirname(socket)].find((dir) => dir.startsWith("/"));
  const values: { readonly [Name in (typeof common)[number]]: string | null | undefined } = {
    dataDir,
    name: shortName(dataDir),
    socket,
    socketDir: absolute,
    host: absolute ?? (address === undefined ? undefined : clientAddress(address)),
    port: ports[0]?.toString(),
    unit,
  };
  const groups = socket === undefined ? {} : (pattern.exec(path.basename(socket))?.groups ?? {});
  const known = Object.entries({ ...values, ...groups, ...rest }).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(known) as Placeholders;
}

/** A server that listens on all addresses is reached at that of the machine itself. */
function clientAddress(address: string): string {
  if (address === "*" || address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}

/** The options of the suggestion that it needs, and that have no value. */
export function missingOptions({ suggests = {} }: PluginManifest, { options }: SuggestedInstance): string[] {
  return (suggests.needs ?? []).filter((name) => options[name] === undefined);
}

/** What must be added if the instance as suggested cannot identify its components; null: the manifest does not say. */
export function suggestedSetup(
  manifest: PluginManifest,
  placeholders: Placeholders,
): { options: Record<string, unknown>; steps: string[] } | null {
  const setup = manifest.suggests?.setup;
  if (setup === undefined) return null;
  const { options } = suggestedInstance({ ...manifest, suggests: { options: setup.options ?? {} } }, placeholders);
  return { options, steps: setup.steps.map((step) => replaced(step, placeholders) ?? step) };
}

/** What the manifest suggests. An option with a placeholder that has no value is left out: its default applies. */
export function suggestedInstance(manifest: PluginManifest, placeholders: Placeholders = {}): SuggestedInstance {
  const { name: plugin, kind, suggests = {} } = manifest;
  const { as = kind === "writer" ? `${plugin}-\${name}` : plugin, options = {} } = suggests;
  const types = (manifest.options?.["properties"] ?? {}) as Record<string, { type?: unknown }>;
  const filled = Object.entries(options).flatMap(([option, value]) => {
    const text = fill(value, placeholders);
    return text === undefined ? [] : [[option, numeric(types[option]?.type) ? Number(text) : text]];
  });
  const name = replaced(as, placeholders) ?? plugin;
  return { name: asInstanceName(name), options: Object.fromEntries(filled) as Record<string, unknown> };
}

/** A value for every placeholder, as a server could have it. */
export function samplePlaceholders({ detects = [] }: PluginManifest): Placeholders {
  const groups = detects.flatMap(({ process: of }) => namedBy(of)).map((name) => [name, "1"] as const);
  const values: { readonly [Name in (typeof common)[number]]: string } = {
    dataDir: "/var/lib/sample",
    name: "sample",
    socket: "/run/sample.sock",
    socketDir: "/run",
    host: "/run",
    port: "1",
    unit: "sample.service",
  };
  return { ...Object.fromEntries(groups), ...values };
}

/** Placeholders of the manifest's suggestion that no detection gives a value. The patterns must be valid. */
export function unknownPlaceholders({ detects = [], suggests = {} }: PluginManifest): string[] {
  const used = [...JSON.stringify(suggests).matchAll(/\$\{(\w*)\}/g)].map(([, name = ""]) => name);
  const groups = detects.flatMap(({ process: of }) => namedBy(of));
  const known: string[] = detects.some((one) => one.process !== undefined) ? [...common, ...groups] : [];
  return [...new Set(used)].filter((name) => !known.includes(name));
}

/** The placeholders that a detection adds. */
const namedBy = (detection?: ProcessDetection): string[] => [
  ...groupsOf(detection?.socket),
  ...Object.keys(detection?.pidFile?.lines ?? {}),
];

function groupsOf(pattern = ""): string[] {
  // An empty alternative matches any text, so that the result has every group of the pattern.
  return Object.keys(new RegExp(`${pattern}|`, "u").exec("")?.groups ?? {});
}

const numeric = (type: unknown): boolean => type === "integer" || type === "number";

/** undefined: a placeholder in it has no value. */
function fill(value: unknown, placeholders: Placeholders): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => fill(item, placeholders));
    return items.includes(undefined) ? undefined : items;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => [key, fill(item, placeholders)] as const);
    return entries.some(([, item]) => item === undefined) ? undefined : Object.fromEntries(entries);
  }
  return typeof value === "string" ? replaced(value, placeholders) : value;
}

/** undefined: a placeholder in it has no value. */
function replaced(value: string, placeholders: Placeholders): string | undefined {
  const names = [...value.matchAll(/\$\{(\w*)\}/g)].map(([, name = ""]) => name);
  if (names.some((name) => placeholders[name] === undefined)) return undefined;
  return value.replaceAll(/\$\{(\w*)\}/g, (_, name: string) => placeholders[name] ?? "");
}

/** /var/lib/postgresql/15/main is called main; a folder `data` has the name of the folder above it. */
function shortName(dataDir: string): string {
  return path.basename(dataDir) === "data" ? path.basename(path.dirname(dataDir)) : path.basename(dataDir);
}

/** As the config demands it, with space for a number that makes it unique. */
function asInstanceName(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, "-")
    .replace(/^[._-]+/, "")
    .slice(0, 60);
}
