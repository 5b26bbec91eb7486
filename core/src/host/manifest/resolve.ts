import type { InstanceSettings, Settings } from "../../base/config/settings.js";
import type { Candidate } from "../../base/errors/details.js";
import type { Finding, PluginManifest } from "../../base/schema/types.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { place } from "../../base/schema/findings.js";
import { trustedUser } from "../../base/trust/ownership.js";
import { discover, type Found } from "./discover.js";
import { pluginFolders, thisHost, type Host } from "./host.js";
import { settleInstance, sourceOf, type SettledInstance } from "./instance.js";
import {
  candidateName,
  deprecationOf,
  judgeCandidates,
  candidateLines,
  nearestPlugin,
  usablePlugins,
  type Judgement,
  type Usable,
} from "./judge.js";
import { lockEntryOf, pinProblems, type Pins, readPins } from "./lock.js";
import { refuseChanged } from "./pin-verdict.js";
import type { Resolution } from "./resolution.js";
import { isRange } from "./versions.js";

/** A resolution as far as it is possible, with all problems. */
export interface Inspection extends Resolution {
  /** Of each plugin the highest version that may be loaded, in the order of the search. */
  usable: Usable[];
  /** The valid manifests by their folders. */
  manifests: ReadonlyMap<string, PluginManifest>;
  problems: HoldstillError[];
}

/** How plugins are selected. */
export interface SelectionRules {
  readonly which?: "all" | "those asked for";
  /**
   * checked: pinned versions come first, and what differs from its pin is a problem. preferred: they come first.
   * ignored: the highest version is selected.
   */
  readonly pins?: "checked" | "preferred" | "ignored" | undefined;
}

/**
 * The plugins of all instances.
 *
 * @throws HoldstillError the problem that `inspectPlugins` found, or E_PLUGINS_REFUSED with all of them.
 */
export async function resolvePlugins(
  settings: Settings,
  host?: Host,
  pins?: SelectionRules["pins"],
): Promise<Resolution> {
  const rules = { which: "those asked for", pins } as const;
  const { problems, usable: _, manifests: __, ...resolution } = await inspectPlugins(settings, host, rules);
  const [first] = problems;
  if (problems.length > 1) throw new HoldstillError("E_PLUGINS_REFUSED", { problems: problems.map((p) => toFault(p)) });
  if (first !== undefined) throw first;
  return resolution;
}

/** The same without throwing, for commands such as `plugins list`: one broken plugin does not hide the others. */
export async function inspectPlugins(
  settings: Settings,
  host: Host = thisHost(),
  { which = "all", pins: rule = "checked" }: SelectionRules = {},
): Promise<Inspection> {
  const pins = readPins(rule === "ignored" ? null : settings.lockFile);
  const paths = pluginFolders(settings.pluginPaths, host);
  const asked = new Set(settings.instances.map(({ use }) => use.name));
  const { found, warnings } = await discover(paths, await trustedUser(), which === "all" ? null : asked);
  const candidates = new Map<string, Candidate[]>();
  const settled: SettledInstance[] = [];
  const weigh = async (instance: InstanceSettings): Promise<void> => {
    const judgement = judgeInstance(instance, found, host, pins);
    candidates.set(instance.name, judgement?.candidates ?? []);
    settled.push(await settleJudged(instance, judgement, found, settings, host));
  };
  for (const instance of settings.instances) await weigh(instance);
  const fallback = fallbackOf(found);
  if (fallback !== null && needsProvider(fallback, settings, settled)) await weigh(fallback);

  const plugins = settled.flatMap(({ plugin }) => plugin ?? []);
  const findings = settled.flatMap((one) => one.findings);
  const pinned = rule === "checked" ? await pinProblems(settings.lockFile, pins, plugins) : [];
  for (const [instance, all] of candidates) candidates.set(instance, refuseChanged(all, pinned));
  const problems = [
    ...(findings.length > 0 ? [new HoldstillError("E_CONFIG_INVALID", { findings })] : []),
    ...settled.flatMap((one) => one.problems),
    ...pinned,
  ];
  warnings.push(...settled.flatMap((one) => one.warnings ?? []));
  warnings.push(...new Set(plugins.flatMap(({ manifest }) => deprecationOf(manifest, host) ?? [])));
  const lines = candidateLines(found, candidates.values(), host);
  const manifests = new Map(found.flatMap(({ dir, read }) => (read.state === "valid" ? [[dir, read.manifest]] : [])));
  return { plugins, candidates, found: lines, usable: usablePlugins(found, host), manifests, warnings, problems };
}

/** undefined: the range in the config is not valid. */
function judgeInstance(
  { use }: InstanceSettings,
  found: readonly Found[],
  host: Host,
  { lock }: Pins,
): Judgement | undefined {
  if (!isRange(use.range)) return undefined;
  const { name } = use;
  const isPinned =
    lock === null ? null : (version: string): boolean => lockEntryOf(lock, { name, version }) !== undefined;
  return judgeCandidates(use, found, host, isPinned);
}

async function settleJudged(
  instance: InstanceSettings,
  judgement: Judgement | undefined,
  found: readonly Found[],
  settings: Settings,
  host: Host,
): Promise<SettledInstance> {
  if (judgement === undefined) return { findings: [rangeFault(instance, settings)], problems: [] };
  const { outcome } = judgement;
  if (outcome.state === "taken")
    return withPin(await settleInstance(instance, outcome.best, settings, host), outcome.best, judgement.candidates);
  if (instance.policy === "excluded") return { findings: [], problems: [] };
  return { findings: [], problems: [refusal(instance, { ...judgement, outcome }, found)] };
}

/** Options that only a newer version has are wrong for the pinned one: the findings name both. */
function withPin(settled: SettledInstance, { read }: Usable, candidates: readonly Candidate[]): SettledInstance {
  const { name, version } = read.manifest;
  const newer = candidates.find((one) => one.verdict === "unpinned" && one.version !== version);
  if (newer === undefined) return settled;
  const findings = settled.findings.map((finding) => ({
    ...finding,
    expected: `${finding.expected}, because ${name} ${version} is pinned, and not ${newer.version}`,
  }));
  return { ...settled, findings };
}

type Refused = Judgement & { outcome: Exclude<Judgement["outcome"], { state: "taken" }> };

function refusal(
  instance: InstanceSettings,
  { outcome, candidates }: Refused,
  found: readonly Found[],
): HoldstillError {
  if (outcome.state === "untrusted") {
    return new HoldstillError("E_PLUGIN_UNTRUSTED", { dir: outcome.best.dir, problems: outcome.problems });
  }
  if (outcome.state === "invalid")
    return new HoldstillError("E_MANIFEST_INVALID", { findings: outcome.broken.findings });
  const { name, range } = instance.use;
  const near = candidates.length > 0 ? undefined : nearestPlugin(name, found);
  return new HoldstillError("E_PLUGIN_UNRESOLVED", {
    use: range === "*" ? name : `${name}@${range}`,
    instance: instance.name,
    candidates,
    ...(near === undefined ? {} : { nearest: near }),
  });
}

function rangeFault(instance: InstanceSettings, settings: Settings): Finding {
  const { name, range } = instance.use;
  const expected = "NAME or NAME@RANGE with a range of versions, such as writer-acme@^1";
  return place(
    { pointer: "", seen: JSON.stringify(`${name}@${range}`), expected },
    sourceOf(instance, settings, "/use"),
  );
}

/** A config without a provider gets the fallback. If the config's provider is invalid, only its problem is reported. */
function needsProvider(fallback: InstanceSettings, settings: Settings, settled: readonly SettledInstance[]): boolean {
  const open = settled.some((one) => one.plugin === undefined && one.findings.length + one.problems.length > 0);
  const named = settings.instances.some(({ name }) => name === fallback.name);
  return !open && !named && !settled.some(({ plugin }) => plugin?.who.role === "provider");
}

/** An instance of the first provider on the plugin paths whose manifest has `fallback`; null: there is none. */
function fallbackOf(found: readonly Found[]): InstanceSettings | null {
  const plugin = found.find(({ read }) => (read.state === "valid" ? read.manifest : read).fallback === true);
  if (plugin === undefined) return null;
  const name = candidateName(plugin);
  return {
    name,
    use: { name, range: "*" },
    policy: "required",
    isolation: null,
    freezeMs: null,
    environment: [],
    options: {},
    place: null,
  };
}
