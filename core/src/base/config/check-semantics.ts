import type { Finding } from "../schema/types.js";
import { shown } from "../schema/findings.js";
import { longestMs, parseDuration } from "./duration.js";
import { splitUse } from "./settings.js";

type Fault = Pick<Finding, "pointer" | "seen" | "expected">;

/**
 * What the schema cannot check in a config. It accepts any value, so that all errors are found at once. The schema reports
 * values of a wrong type.
 */
export function semanticFindings(config: unknown): Fault[] {
  const { limits, plugins, stateDir, exposeDir, pluginPaths, log, service, cluster } = fields(config);
  const { limits: inCluster, tls } = fields(cluster);
  const instances = Array.isArray(plugins) ? plugins.map((instance: unknown) => fields(instance)) : [];
  const durations: [string, unknown][] = [
    ...Object.entries(fields(limits)).map(([part, value]): [string, unknown] => [`/limits/${part}`, value]),
    ...Object.entries(fields(inCluster)).map(([part, value]): [string, unknown] => [`/cluster/limits/${part}`, value]),
    ...instances.map(({ freeze }, index): [string, unknown] => [`/plugins/${index}/freeze`, freeze]),
  ];
  const paths: [string, unknown][] = [
    ["/stateDir", stateDir],
    ["/exposeDir", exposeDir],
    ...(Array.isArray(pluginPaths) ? pluginPaths : []).map((one, index): [string, unknown] => [
      `/pluginPaths/${index}`,
      one,
    ]),
    ["/log/file", fields(log).file],
    ["/service/socket", fields(service).socket],
    ...Object.entries(fields(tls)).map(([file, value]): [string, unknown] => [`/cluster/tls/${file}`, value]),
  ];
  return [
    ...durations.flatMap(([pointer, value]) => durationFault(pointer, value)),
    ...paths.flatMap(([pointer, value]) => tildeFault(pointer, value)),
    ...sameNames(instances),
  ];
}

function durationFault(pointer: string, value: unknown): Fault[] {
  const wellFormed = typeof value === "string" && /^[0-9]+(\.[0-9]+)?(ms|s|m|h)$/.test(value);
  if (!wellFormed || parseDuration(value) !== undefined) return [];
  return [{ pointer, seen: shown(value), expected: `at least 1ms and at most ${longestMs / 3_600_000}h` }];
}

/** `~/x` would become a folder that is called `~`. */
function tildeFault(pointer: string, value: unknown): Fault[] {
  if (typeof value !== "string" || !value.startsWith("~")) return [];
  return [{ pointer, seen: shown(value), expected: "an absolute path, because a tilde is not expanded" }];
}

function sameNames(instances: readonly Record<string, unknown>[]): Fault[] {
  const first = new Map<string, number>();
  return instances.flatMap(({ as, use }, index) => {
    const name = as ?? (typeof use === "string" ? splitUse(use)[0] : undefined);
    if (typeof name !== "string") return [];
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, index);
      return [];
    }
    const expected = `a unique name (\`as\`): plugins[${earlier}] has the same`;
    return [
      { pointer: `/plugins/${index}${as === undefined ? "" : "/as"}`, seen: `instance ${shown(name)}`, expected },
    ];
  });
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
