import { homedir } from "node:os";
import path from "node:path";
import type { LineOf } from "../schema/findings.js";
import type { Config, Limits, LogConfig, PluginInstance, RepairTime, RightsConfig } from "../schema/types.js";
import { type ClusterSettings, clusterSettingsOf } from "./cluster-settings.js";
import { parseDuration } from "./duration.js";

/** The config as the rest of holdstill sees it: every default filled in, every path absolute. */
export interface Settings {
  /** null: there is no config file, so that the defaults apply. */
  file: string | null;
  /** In the order of the search, without the bundled folder, which is last. */
  pluginPaths: string[];
  stateDir: string;
  /** The folder in which snapshots are exposed, one folder per set. */
  exposeDir: string;
  /** Time between two checks of the usage of the sets that are kept, ms. */
  usageIntervalMs: number;
  limits: LimitsMs;
  /** When writers repair the snapshots of a set whose requester does not say. */
  repair: RepairTime;
  instances: InstanceSettings[];
  log: { level: NonNullable<LogConfig["level"]>; file: string | null };
  service: ServiceSettings;
  /** null: this host takes part in no sets of several hosts. */
  cluster: ClusterSettings | null;
  /** holdstill.lock.json beside the config, when it exists. */
  lockFile: string | null;
  /** Lines of the config file, for findings of a plugin's schema. */
  lineOf?: LineOf;
}

/** Each right implies `read`. */
export type Right = keyof RightsConfig;

export interface ServiceSettings {
  /** Path of the Unix socket. */
  socket: string;
  /** Group whose members may connect, by name or number; null: `holdstill`, if that group exists. */
  group: string | null;
  /** `user:NAME` or `group:NAME`, names or numbers. */
  rights: { [R in Right]-?: readonly string[] };
  /** How many operations may run or wait at a time. */
  operations: number;
}

/** The longest time of each part of a transaction, ms. */
export type LimitsMs = { [Part in keyof Limits]-?: number };

export interface InstanceSettings {
  name: string;
  use: { name: string; range: string };
  policy: "required" | "best-effort" | "excluded";
  /** null: as the manifest says. */
  isolation: "thread" | "process" | null;
  /** null: no limit below the manifest's. */
  freezeMs: number | null;
  /** Environment variables that the plugin gets beside those that its manifest names. */
  environment: string[];
  /** As written. The plugin's defaults are added when it is resolved. */
  options: Record<string, unknown>;
  /** null: it does not come from a file. */
  place: { file: string; line?: number | undefined; pointer: string } | null;
}

/** What the settings depend on beside the file. */
export interface ConfigContext {
  /** Absolute. */
  cwd: string;
  env: NodeJS.ProcessEnv;
}

const defaultLimits: { readonly [Part in keyof LimitsMs]: string } = {
  queue: "10m",
  identify: "30s",
  prepare: "10m",
  freeze: "60s",
  hold: "10s",
  copy: "1h",
  seal: "5m",
  ready: "10m",
  repair: "30m",
  verdict: "10m",
  complete: "5m",
  abort: "30s",
};

/** ms */
const defaultFillInterval = 30_000;

/** Settings from a valid config. */
export function settingsOf(config: Config, file: string | null, lineOf: LineOf, { cwd, env }: ConfigContext): Settings {
  const base = file === null ? cwd : path.dirname(file);
  const fromBase = (name: string): string => path.resolve(base, name);
  const fromEnv = (env.HOLDSTILL_PLUGIN_PATH ?? "").split(":").filter((name) => name !== "");
  return {
    file,
    pluginPaths: [
      ...new Set([
        ...fromEnv.map((name) => path.resolve(cwd, name)),
        ...(config.pluginPaths ?? []).map((name) => fromBase(name)),
      ]),
    ],
    stateDir: env.HOLDSTILL_STATE_DIR
      ? path.resolve(cwd, env.HOLDSTILL_STATE_DIR)
      : fromBase(config.stateDir ?? defaultStateDir(env)),
    exposeDir: env.HOLDSTILL_EXPOSE_DIR
      ? path.resolve(cwd, env.HOLDSTILL_EXPOSE_DIR)
      : fromBase(config.exposeDir ?? defaultExposeDir(env)),
    usageIntervalMs: parseDuration(config.usageInterval) ?? defaultFillInterval,
    limits: milliseconds({ ...defaultLimits, ...config.limits }),
    repair: config.repair ?? "inline",
    instances: (config.plugins ?? []).map((instance, index) => instanceOf(instance, index, file, lineOf)),
    log: {
      level: config.log?.level ?? "info",
      file: config.log?.file === undefined ? null : fromBase(config.log.file),
    },
    service: {
      socket: env.HOLDSTILL_SOCKET
        ? path.resolve(cwd, env.HOLDSTILL_SOCKET)
        : fromBase(config.service?.socket ?? defaultSocket(env)),
      group: config.service?.group ?? null,
      rights: { read: [], create: [], delete: [], restore: [], ...config.service?.rights },
      operations: config.service?.operations ?? 64,
    },
    cluster: config.cluster === undefined ? null : clusterSettingsOf(config.cluster, fromBase),
    lockFile: null,
    lineOf,
  };
}

function instanceOf(instance: PluginInstance, index: number, file: string | null, lineOf: LineOf): InstanceSettings {
  const [name = "", range = "*"] = splitUse(instance.use);
  const pointer = `/plugins/${index}`;
  return {
    name: instance.as ?? name,
    use: { name, range },
    policy: instance.policy ?? "required",
    isolation: instance.isolation ?? null,
    freezeMs: parseDuration(instance.freeze) ?? null,
    environment: instance.environment ?? [],
    options: instance.options ?? {},
    place: file === null ? null : whereabouts(file, pointer, lineOf),
  };
}

/** The line is found only when it is read, which is rarely necessary. */
function whereabouts(file: string, pointer: string, lineOf: LineOf): InstanceSettings["place"] {
  return {
    file,
    get line() {
      return lineOf(pointer);
    },
    pointer,
  };
}

/** The path of a config's lock file. */
export function lockFileBeside(config: string): string {
  return path.join(path.dirname(config), "holdstill.lock.json");
}

/** `writer-acme@^1` as name and range; the range may be missing. */
export function splitUse(use: string): string[] {
  const at = use.indexOf("@");
  return at === -1 ? [use] : [use.slice(0, at), use.slice(at + 1)];
}

function milliseconds(limits: Required<Limits>): LimitsMs {
  const entries = Object.entries(limits).map(([part, duration]) => [part, parseDuration(duration)]);
  return Object.fromEntries(entries) as LimitsMs;
}

function defaultStateDir(env: NodeJS.ProcessEnv): string {
  if (process.geteuid?.() === 0) return "/var/lib/holdstill";
  return path.join(xdg(env, "XDG_STATE_HOME", ".local/state"), "holdstill");
}

/** Outside the state directory, which only its owner can enter: a user who can read the originals can read their snapshots. */
function defaultExposeDir(env: NodeJS.ProcessEnv): string {
  if (process.geteuid?.() === 0) return "/run/holdstill";
  return path.join(xdg(env, "XDG_STATE_HOME", ".local/state"), "holdstill-exposed");
}

function defaultSocket(env: NodeJS.ProcessEnv): string {
  if (process.geteuid?.() === 0) return "/run/holdstill.sock";
  return path.join(xdg(env, "XDG_STATE_HOME", ".local/state"), "holdstill.sock");
}

/** A base directory of the XDG specification. It requires that a relative path in the variable is ignored. */
export function xdg(env: NodeJS.ProcessEnv, variable: string, fallback: string): string {
  const given = env[variable];
  return given !== undefined && path.isAbsolute(given) ? given : path.join(env.HOME || homedir(), fallback);
}
