import path from "node:path";
import type { InstanceSettings, Settings } from "../config/settings.js";
import type { Who } from "../errors/details.js";
import type { Finding } from "../schema/finding.js";
import { HoldstillError } from "../errors/error.js";
import { place, type Source } from "../schema/findings.js";
import { missingCommands } from "./commands.js";
import type { Host } from "./host.js";
import { commonProtocol, type Usable } from "./judge.js";
import { programProblems } from "./programs.js";
import type { ResolvedPlugin } from "./resolution.js";

/** What an instance came to, with everything that keeps it from being used: `plugin` is missing then. */
export interface Settled {
  plugin?: ResolvedPlugin;
  findings: Finding[];
  problems: HoldstillError[];
}

const defaultMemoryMb = 128;

/** Puts an instance of the config and the plugin that was taken for it together. */
export async function settle(
  instance: InstanceSettings,
  { dir, read: { manifest, checkOptions } }: Usable,
  settings: Settings,
  host: Host,
): Promise<Settled> {
  const findings = [...policyFaults(instance, manifest.kind, settings)];
  const { policy } = instance;
  if (policy === "excluded") return { findings, problems: [] };

  const who: Who = { role: manifest.kind, instance: instance.name, plugin: manifest.name, version: manifest.version };
  const options = checkOptions(instance.options, sourceOf(instance, settings, "/options"));
  if (!options.ok) findings.push(...options.findings);
  const commands = manifest.requires?.commands ?? [];
  const missing = await missingCommands(commands, host.path);
  const programs = manifest.requires?.programs ?? [];
  const problems = [
    ...missing.map((command) => new HoldstillError("E_EXEC_MISSING", { who, command })),
    ...(options.ok ? await programProblems(who, programs, options.value) : []),
  ];
  const protocol = commonProtocol(manifest.protocol, host);
  if (!options.ok || findings.length + problems.length > 0 || protocol === undefined) return { findings, problems };

  const plugin: ResolvedPlugin = {
    who,
    manifest,
    dir,
    entry: path.join(dir, manifest.main),
    policy,
    options: options.value,
    isolation: instance.isolation ?? manifest.isolation ?? "thread",
    memoryMb: manifest.limits?.memoryMb ?? defaultMemoryMb,
    freezeMs: lower(instance.freezeMs, manifest.limits?.freezeSeconds),
    commands,
    programs: programs.length === 0 ? "by-name" : "by-path",
    environment: manifest.requires?.environment ?? [],
    protocol,
  };
  return { plugin, findings, problems };
}

/** Where findings of an instance, or of a part of it, point to. */
export function sourceOf({ name, at }: InstanceSettings, { file, lineOf }: Settings, part = ""): Source {
  const whole = at ?? { file: file ?? "(settings)", pointer: `/${name}` };
  return { file: whole.file, pointer: `${whole.pointer}${part}`, ...(lineOf && at ? { lineOf } : {}) };
}

function policyFaults(instance: InstanceSettings, kind: Who["role"], settings: Settings): Finding[] {
  if (kind === "writer" || instance.policy === "required") return [];
  const expected = "no policy: without its provider there is no snapshot";
  return [
    place({ pointer: "", seen: JSON.stringify(instance.policy), expected }, sourceOf(instance, settings, "/policy")),
  ];
}

function lower(configMs: number | null, manifestSeconds: number | undefined): number | null {
  const limits = [configMs, manifestSeconds === undefined ? null : manifestSeconds * 1000].filter((ms) => ms !== null);
  return limits.length === 0 ? null : Math.min(...limits);
}
