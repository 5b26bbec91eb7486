import type { InstanceSettings, Settings } from "../../base/config/settings.js";
import type { Candidate, OwnershipProblem } from "../../base/errors/details.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { Fault } from "../../base/schema/types.js";
import { trustedUser } from "../../base/trust/ownership.js";
import { findProgram } from "../../os/exec/program.js";
import { discover, type Found } from "./discover.js";
import { thisHost, type Host } from "./host.js";
import { commonProtocol, candidateName, nearestPlugin } from "./judge.js";
import { inspectPlugins } from "./resolve.js";

/** Everything that decides about one plugin, or about one instance of it. */
export interface Explanation {
  name: string;
  host: Pick<Host, "version" | "protocols">;
  asked: Asked[];
  candidates: ExplainedCandidate[];
  /** The plugin paths, in the order of the search. */
  searched: string[];
  problems: Fault[];
}

/** An instance of the config that asks for the plugin. */
export interface Asked extends Pick<InstanceSettings, "use" | "policy" | "place"> {
  instance: string;
  taken: Candidate | null;
}

export interface ExplainedCandidate extends Candidate {
  /** null: its manifest is not valid. */
  needs: {
    holdstill: string;
    /** What it speaks, and what is used of it: null if the host speaks none of it. */
    protocol: { spoken: number[]; used: number | null };
    /** Each with the absolute path of the program; null if there is none. */
    commands: { name: string; path: string | null }[];
    environment: { name: string; isSet: boolean }[];
  } | null;
  trust: OwnershipProblem[];
}

/** @param name A plugin's, or an instance's. Throws E_PLUGIN_UNRESOLVED when it is neither. */
export async function explainPlugin(name: string, settings: Settings, host: Host = thisHost()): Promise<Explanation> {
  const searched = [...settings.pluginPaths, ...(host.bundled === null ? [] : [host.bundled])];
  const { found } = await discover(searched, await trustedUser());
  const inspection = await inspectPlugins(settings, host);
  const asking = settings.instances.filter((instance) => instance.name === name || instance.use.name === name);
  const names = new Set([name, ...asking.map(({ use }) => use.name)]);
  const named = found.filter((plugin) => names.has(candidateName(plugin)));
  if (named.length + asking.length === 0) {
    const near = nearestPlugin(name, found);
    const details = { use: name, instance: name, candidates: [], ...(near === undefined ? {} : { nearest: near }) };
    throw new HoldstillError("E_PLUGIN_UNRESOLVED", details);
  }
  const candidates = named.map(async (plugin): Promise<ExplainedCandidate> => {
    const verdict = inspection.found.find(({ dir }) => dir === plugin.dir);
    if (verdict === undefined) throw new Error(`${plugin.dir} came and went`);
    return { ...verdict, needs: needsOf(plugin, host), trust: plugin.problems };
  });
  return {
    name,
    host: { version: host.version, protocols: host.protocols },
    asked: asking.map((instance) => askedOf(instance, inspection.candidates.get(instance.name) ?? [])),
    candidates: await Promise.all(candidates),
    searched,
    problems: inspection.problems.map((problem) => toFault(problem)),
  };
}

function askedOf({ name, use, policy, place: at }: InstanceSettings, candidates: readonly Candidate[]): Asked {
  const taken = candidates.find(({ verdict }) => verdict === "taken") ?? null;
  return { instance: name, use, policy, place: at, taken };
}

function needsOf({ read }: Found, host: Host): ExplainedCandidate["needs"] {
  if (read.state === "invalid") return null;
  const { engines, protocol, requires = {} } = read.manifest;
  const { commands = [], environment = [] } = requires;
  return {
    holdstill: engines.holdstill,
    protocol: { spoken: protocol, used: commonProtocol(protocol, host) ?? null },
    commands: commands.map((name) => ({ name, path: findProgram(name, host.path) ?? null })),
    environment: environment.map((name) => ({ name, isSet: process.env[name] !== undefined })),
  };
}
