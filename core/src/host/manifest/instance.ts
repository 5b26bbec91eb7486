import { stat } from "node:fs/promises";
import path from "node:path";
import type { InstanceSettings, Settings } from "../../base/config/settings.js";
import type { Who } from "../../base/errors/details.js";
import type { Finding } from "../../base/schema/types.js";
import { HoldstillError } from "../../base/errors/error.js";
import { place, type Source } from "../../base/schema/findings.js";
import { valueAt, withAt } from "../../base/schema/pointer.js";
import { trustedUser, exposures } from "../../base/trust/ownership.js";
import { missingPrograms } from "../../os/exec/program.js";
import { type Host, isBundled } from "./host.js";
import { commonProtocol, type Usable } from "./judge.js";
import { interpreterProblems } from "./interpreter.js";
import { programProblems } from "./programs.js";
import type { ResolvedPlugin } from "./resolution.js";
import { withoutSecrets, reveal, secretsOf } from "./secrets.js";

/** The plugin of an instance; or, without it, everything that prevents its use. */
export interface SettledInstance {
  plugin?: ResolvedPlugin;
  findings: Finding[];
  problems: HoldstillError[];
  warnings?: string[];
}

const defaultMemoryMb = 128;

/** Combines an instance of the config with the plugin that was selected for it. */
export async function settleInstance(
  instance: InstanceSettings,
  { dir, read: { manifest, checkOptions, unknown } }: Usable,
  settings: Settings,
  host: Host,
): Promise<SettledInstance> {
  const { runtime = "node" } = manifest;
  const findings = [
    ...policyFaults(instance, manifest.kind, settings),
    ...isolationFaults(instance, runtime, settings),
  ];
  const { policy } = instance;
  if (policy === "excluded") return { findings, problems: [] };

  const who: Who = { role: manifest.kind, instance: instance.name, plugin: manifest.name, version: manifest.version };
  const source = sourceOf(instance, settings, "/options");
  const secrets = secretsOf(manifest.options, instance.options);
  const { options: revealed, faults } = await reveal(instance.options, secrets, await trustedUser());
  const options = checkOptions(revealed, source);
  const wrong = options.ok ? [] : withoutSecrets(options.findings, source.pointer ?? "", revealed, secrets);
  const unread = faults.map((fault) => place(fault, source));
  findings.push(...unread, ...wrong.filter(({ pointer }) => unread.every((one) => one.pointer !== pointer)));
  const commands = manifest.requires?.commands ?? [];
  const missing = missingPrograms(commands, host.path);
  const programs = manifest.requires?.programs ?? [];
  const problems = [
    ...missing.map((command) => new HoldstillError("E_EXEC_MISSING", { who, command })),
    ...(options.ok ? await programProblems(who, programs, options.value) : []),
    ...(runtime === "executable" ? await interpreterProblems(who, path.join(dir, manifest.main), host.path) : []),
  ];
  const warnings = [...unknown.map(ignored), ...(await plainSecrets(instance, secrets, settings))];
  const protocol = commonProtocol(manifest.protocol, host);
  if (!options.ok || findings.length + problems.length > 0 || protocol === undefined) return { findings, problems };

  const plugin: ResolvedPlugin = {
    who,
    manifest,
    dir,
    origin: isBundled(dir, host) ? "bundled" : "installed",
    entry: path.join(dir, manifest.main),
    policy,
    options: secrets.reduce((all, one) => withAt(all, one, valueAt(instance.options, one)), options.value),
    secrets,
    runtime,
    isolation: runtime === "executable" ? "process" : (instance.isolation ?? manifest.isolation ?? "thread"),
    memoryMb: manifest.limits?.memoryMb ?? defaultMemoryMb,
    freezeMs: lower(instance.freezeMs, manifest.limits?.freezeSeconds),
    commands: [...commands, ...(manifest.requires?.optionalCommands ?? [])],
    programs: programs.length === 0 ? "by-name" : "by-path",
    environment: [...new Set([...(manifest.requires?.environment ?? []), ...instance.environment])],
    protocol,
  };
  return { plugin, findings, problems, warnings };
}

function ignored({ file, line, pointer, nearest }: Finding): string {
  const maybe = nearest === undefined ? "" : ` Did you mean \`${nearest}\`?`;
  return `${file}${line === undefined ? "" : `:${line}`} ${pointer}: this version of holdstill ignores the property.${maybe}`;
}

/** The place of an instance, or of a part of it, for findings. */
export function sourceOf({ name, place: at }: InstanceSettings, { file, lineOf }: Settings, part = ""): Source {
  const whole = at ?? { file: file ?? "(settings)", pointer: `/${name}` };
  return { file: whole.file, pointer: `${whole.pointer}${part}`, ...(lineOf && at ? { lineOf } : {}) };
}

/** A secret in the config itself can be read by every user who can read the config. */
async function plainSecrets(
  { name, options }: InstanceSettings,
  secrets: string[],
  { file }: Settings,
): Promise<string[]> {
  const plain = secrets.filter((pointer) => typeof valueAt(options, pointer) === "string");
  if (plain.length === 0 || file === null) return [];
  const stats = await stat(file).catch(() => null);
  const [exposure] = stats === null ? [] : exposures(file, stats, await trustedUser());
  if (exposure === undefined) return [];
  return plain.map(
    (pointer) =>
      `The secret ${pointer} of ${name} is in the config, and ${exposure.problem}: ${exposure.remedy}, or store it elsewhere with { env: NAME } or { file: /PATH }`,
  );
}

function policyFaults(instance: InstanceSettings, kind: Who["role"], settings: Settings): Finding[] {
  if (kind === "writer" || instance.policy === "required") return [];
  const expected = "no policy, because a snapshot needs its provider";
  return [
    place({ pointer: "", seen: JSON.stringify(instance.policy), expected }, sourceOf(instance, settings, "/policy")),
  ];
}

function isolationFaults(
  instance: InstanceSettings,
  runtime: ResolvedPlugin["runtime"],
  settings: Settings,
): Finding[] {
  if (runtime === "node" || instance.isolation !== "thread") return [];
  const expected = "process, or no isolation, because the plugin is a program";
  return [place({ pointer: "", seen: '"thread"', expected }, sourceOf(instance, settings, "/isolation"))];
}

function lower(configMs: number | null, manifestSeconds: number | undefined): number | null {
  const limits = [configMs, manifestSeconds === undefined ? null : manifestSeconds * 1000].filter((ms) => ms !== null);
  return limits.length === 0 ? null : Math.min(...limits);
}
