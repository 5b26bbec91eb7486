import path from "node:path";
import type { Candidate, TrustProblem } from "../../base/errors/details.js";
import { nearest } from "../../base/schema/nearest.js";
import type { PluginManifest } from "../../base/schema/types.js";
import type { Found } from "./discover.js";
import { type Host, isBundled } from "./host.js";
import type { ReadManifest } from "./validate.js";
import { hostSatisfies, isOlderVersion, newestFirst, satisfies } from "./versions.js";

/** A found plugin whose manifest is valid. */
export interface Usable extends Found {
  read: Extract<ReadManifest, { state: "valid" }>;
}

/** The candidates for an instance. `best` is the highest version that fits, and `outcome` whether it may be loaded, apart from its pin. */
export interface Judgement {
  candidates: Candidate[];
  outcome:
    | { state: "taken"; best: Usable }
    | { state: "untrusted"; best: Usable; problems: TrustProblem[] }
    | { state: "invalid"; broken: Extract<ReadManifest, { state: "invalid" }> }
    | { state: "unresolved" };
}

/** Whether the lock file lists a version of the plugin. */
export type IsPinned = (version: string) => boolean;

/**
 * Judges every plugin of that name. The highest version that fits is the result, even if it must be refused. If an older version
 * were used silently instead, a broken or manipulated update would decide what runs as root. A version that the lock file lists
 * comes before all that it does not list, and the bundled one before other versions that it does not list.
 *
 * @param isPinned null: there is no lock file.
 */
export function judgeCandidates(
  use: { name: string; range: string },
  found: readonly Found[],
  host: Host,
  isPinned: IsPinned | null = null,
): Judgement {
  const named = found.filter((plugin) => candidateName(plugin) === use.name);
  const misfit = (plugin: Found): string | undefined =>
    misfitOf(plugin, host) ?? (satisfies(versionOf(plugin), use.range) ? undefined : `not in the range ${use.range}`);
  const fitting = named
    .filter((plugin): plugin is Usable => plugin.read.state === "valid" && misfit(plugin) === undefined)
    .toSorted((a, b) => newestFirst(versionOf(a), versionOf(b)));
  const pinned =
    fitting.find((plugin) => isPinned?.(versionOf(plugin)) === true) ??
    fitting.find((plugin) => isPinned !== null && isBundled(plugin.dir, host));
  const best = pinned ?? fitting[0];
  const chosen = best === undefined ? "" : versionOf(best);
  const refusal = best && blockOf(best, found);
  const candidates = named.map((plugin): Candidate => {
    const entry = { name: use.name, version: versionOf(plugin), dir: plugin.dir };
    const reason = misfit(plugin) ?? blockOf(plugin, found);
    if (reason !== undefined) return { ...entry, verdict: "refused", reason };
    if (plugin === best && isPinned !== null && pinned === undefined)
      return { ...entry, verdict: "unpinned", reason: "the lock file does not list it; `holdstill plugins lock` does" };
    const which = pinned === undefined ? "version" : "pinned version";
    if (plugin === best)
      return { ...entry, verdict: "taken", reason: `the highest ${which} in the range ${use.range}` };
    if (newestFirst(versionOf(plugin), chosen) < 0)
      return {
        ...entry,
        verdict: "unpinned",
        reason: `the lock file has ${chosen}; \`holdstill plugins upgrade\` uses it`,
      };
    const but = refusal === undefined ? "" : ", though it is refused";
    return { ...entry, verdict: "older", reason: `${chosen} is newer${but}` };
  });
  return { candidates, outcome: outcomeOf(best, refusal, named) };
}

function outcomeOf(
  best: Usable | undefined,
  refusal: string | undefined,
  named: readonly Found[],
): Judgement["outcome"] {
  if (best === undefined) {
    const broken = named.map(({ read }) => read).find((read) => read.state === "invalid");
    return broken === undefined ? { state: "unresolved" } : { state: "invalid", broken };
  }
  if (best.problems.length > 0) return { state: "untrusted", best, problems: best.problems };
  return refusal === undefined ? { state: "taken", best } : { state: "unresolved" };
}

/** Of each plugin the highest version that may be loaded, in the order of the search. */
export function usablePlugins(found: readonly Found[], host: Host): Usable[] {
  const names = new Set(found.map((plugin) => candidateName(plugin)));
  return [...names].flatMap((name) => {
    const { outcome } = judgeCandidates({ name, range: "*" }, found, host);
    return outcome.state === "taken" ? outcome.best : [];
  });
}

/** Everything that was found, for `plugins list`: with the verdict for an instance, or by itself if no instance uses it. */
export function candidateLines(found: readonly Found[], judged: Iterable<Candidate[]>, host: Host): Candidate[] {
  const rank = ["taken", "unpinned", "older", "refused"];
  const verdicts = [...judged].flat().toSorted((a, b) => rank.indexOf(a.verdict) - rank.indexOf(b.verdict));
  return found.map((plugin) => {
    const verdict = verdicts.find(({ dir }) => dir === plugin.dir);
    if (verdict !== undefined) return verdict;
    const entry = { name: candidateName(plugin), version: versionOf(plugin), dir: plugin.dir };
    const reason = misfitOf(plugin, host) ?? blockOf(plugin, found);
    return reason === undefined
      ? { ...entry, verdict: "unused", reason: "no instance uses it" }
      : { ...entry, verdict: "refused", reason };
  });
}

export function nearestPlugin(name: string, found: readonly Found[]): string | undefined {
  return nearest(
    name,
    found.map((plugin) => candidateName(plugin)).filter((other) => other !== name),
  );
}

/** Why this host cannot use the plugin; undefined: it can. */
function misfitOf({ read }: Found, host: Host): string | undefined {
  if (read.state === "invalid") {
    const [first] = read.findings;
    return `its manifest is invalid: at "${first?.pointer}" ${first?.seen}, expected ${first?.expected}`;
  }
  const { engines, protocol } = read.manifest;
  if (!hostSatisfies(host.version, engines.holdstill)) {
    const age = isOlderVersion(host.version, engines.holdstill) ? tooNew : tooOld;
    return `${age.what}: it needs holdstill ${engines.holdstill}, and this is ${host.version}; ${age.remedy}`;
  }
  if (commonProtocol(protocol, host) === undefined) {
    const age = Math.max(...protocol) > Math.max(...host.protocols) ? tooNew : tooOld;
    return `${age.what}: it supports contract ${protocol.join(", ")}, and this host ${host.protocols.join(", ")}; ${age.remedy}`;
  }
  return undefined;
}

const tooNew = { what: "too new", remedy: "update holdstill, or install an older version of the plugin" };
const tooOld = { what: "too old", remedy: "install a newer version of the plugin" };

/** Why the plugin may not work with a later host; undefined: it uses the current contract. */
export function deprecationOf({ name, version, protocol }: PluginManifest, host: Host): string | undefined {
  const [used, newest] = [commonProtocol(protocol, host), Math.max(...host.protocols)];
  if (used === undefined || used === newest) return undefined;
  return `${name} ${version} uses contract ${used}, and the current one is ${newest}: update the plugin before a later holdstill drops ${used}`;
}

/** The highest contract version that both support. */
export function commonProtocol(protocol: readonly number[], host: Host): number | undefined {
  return protocol.filter((version) => host.protocols.includes(version)).toSorted((a, b) => b - a)[0];
}

/** Why a plugin that fits must not be loaded; undefined: it may. */
function blockOf(plugin: Found, found: readonly Found[]): string | undefined {
  const twins = found.filter(
    (other) => candidateName(other) === candidateName(plugin) && versionOf(other) === versionOf(plugin),
  );
  if (twins.length > 1)
    return `the same version is in ${twins.map(({ dir }) => dir).join(" and ")}: remove one of them`;
  const [problem] = plugin.problems;
  return problem && `untrusted: ${problem.problem}`;
}

/** If the manifest has no valid name, that of the folder. */
export function candidateName({ dir, read }: Found): string {
  return (read.state === "valid" ? read.manifest.name : read.name) ?? path.basename(dir).replace(/@.*/, "");
}

function versionOf({ read }: Found): string {
  return (read.state === "valid" ? read.manifest.version : read.version) ?? "?";
}
