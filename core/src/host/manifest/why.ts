import type { InstanceSettings, Settings } from "../../base/config/settings.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type {
  AskedPlugin,
  Candidate,
  ConfigPlace,
  ExplainedCandidate,
  PluginExplanation,
} from "../../base/schema/types.js";
import { trustedUser } from "../../base/trust/ownership.js";
import { findProgram } from "../../os/exec/program.js";
import { discover, type Found } from "./discover.js";
import { pluginFolders, thisHost, type Host } from "./host.js";
import { commonProtocol, candidateName, nearestPlugin } from "./judge.js";
import { inspectPlugins } from "./resolve.js";

/**
 * Everything that decides about one plugin, or about one instance of it.
 *
 * @param name Name of a plugin or of an instance.
 * @throws HoldstillError E_PLUGIN_UNRESOLVED if there is neither.
 */
export async function explainPlugin(
  name: string,
  settings: Settings,
  host: Host = thisHost(),
): Promise<PluginExplanation> {
  const searched = pluginFolders(settings.pluginPaths, host);
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
    if (verdict === undefined) throw new Error(`${plugin.dir} has disappeared`);
    return { ...verdict, needs: needsOf(plugin, host), trust: plugin.problems };
  });
  return {
    name,
    host: { version: host.version, protocols: [...host.protocols] },
    asked: asking.map((instance) => askedOf(instance, inspection.candidates.get(instance.name) ?? [])),
    candidates: await Promise.all(candidates),
    searched,
    problems: inspection.problems.map((problem) => toFault(problem)),
  };
}

function askedOf({ name, use, policy, place: at }: InstanceSettings, candidates: readonly Candidate[]): AskedPlugin {
  const taken = candidates.find(({ verdict }) => verdict === "taken") ?? null;
  return { instance: name, use, policy, place: at === null ? null : placeOf(at), taken };
}

/** With the line, which the settings look up only when it is read. */
function placeOf({ file, line, pointer }: NonNullable<InstanceSettings["place"]>): ConfigPlace {
  return { file, ...(line === undefined ? {} : { line }), pointer };
}

function needsOf({ read }: Found, host: Host): ExplainedCandidate["needs"] {
  if (read.state === "invalid") return null;
  const { runtime = "node", engines, protocol, requires = {} } = read.manifest;
  const { commands = [], optionalCommands = [], environment = [] } = requires;
  return {
    runtime,
    holdstill: engines.holdstill,
    protocol: { spoken: protocol, used: commonProtocol(protocol, host) ?? null },
    commands: [...commands, ...optionalCommands].map((name) => ({ name, path: findProgram(name, host.path) ?? null })),
    environment: environment.map((name) => ({ name, isSet: process.env[name] !== undefined })),
  };
}
