import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import path from "node:path";
import { loadSettings } from "../../base/config/load.js";
import type { Settings } from "../../base/config/settings.js";
import { type HoldstillError, toFault } from "../../base/errors/error.js";
import { unreadableJournal } from "../../store/journal-account.js";
import { type Inspection, inspectPlugins } from "../../host/manifest/resolve.js";
import type { Usable } from "../../host/manifest/judge.js";
import { pathProblems } from "../../host/trust/access-list.js";
import { identifyAll } from "../../plan/writers.js";
import { matchAll } from "../../plan/match.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { componentStorage } from "./component-storage.js";
import { fault, faultCheck, good } from "./check.js";
import { missingLibrary, rights, system, tools, udev } from "./machine-checks.js";
import { detectedVolumes } from "./detected-volumes.js";
import { findServers } from "./servers.js";
import { deviceMounts } from "../../os/device-mounts.js";
import { isWithin } from "../../os/mounts.js";
import type { DetectedServer, DoctorCheck, Volume } from "../../base/schema/types.js";
import { locate } from "../../plan/locate.js";
import { Records } from "../../store/records.js";
import { Store } from "../../store/store.js";
import { contextOf } from "../context.js";
import type { OpenOptions } from "../types.js";
import { Operation } from "../operation.js";
import { unrecordedSets } from "../recover/adopt.js";
import { deletedSnapshots } from "../recover/deleted-snapshots.js";
import { listSnapshots } from "../usage/status.js";
import { planContext } from "../planning-engine.js";

/** Checks everything that a transaction needs. What is missing or invalid, such as the config, becomes a check, not an error. */
export async function examine(options: OpenOptions): Promise<DoctorCheck[]> {
  const missing = missingLibrary();
  if (missing !== null) return [...system(), missing];
  const before = [...system(), ...rights()];
  const { config: file, cwd, env } = options;
  try {
    const settings = await loadSettings({
      problemsOf: pathProblems,
      ...(file === undefined ? {} : { file }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
    });
    return [...before, config(settings), ...(await withSettings(settings))];
  } catch (error) {
    return [...before, fault("config", error)];
  }
}

function config({ file }: Settings): DoctorCheck {
  if (file !== null) return good("config", file);
  const means = "no application is frozen";
  return { about: "config", state: "note", found: "there is no config", means, remedy: "holdstill init" };
}

async function withSettings(settings: Settings): Promise<DoctorCheck[]> {
  const inspection = await inspectPlugins(settings);
  const shared = [...plugins(inspection), ...tools(), ...udev(), ...state(settings)];
  if (shared.some((check) => check.state === "bad")) return shared;
  return [...shared, ...(await asked(inspection, settings).catch((error: unknown) => [fault("plugins", error)]))];
}

/** What the plugins report. */
async function asked({ plugins: taken, usable }: Inspection, settings: Settings): Promise<DoctorCheck[]> {
  const operation = await Operation.begin(planContext(contextOf(settings, null)), taken);
  try {
    const { workers } = operation;
    return [
      ...(await unrecorded(workers, settings)),
      ...(await volumes(workers, settings, usable)),
      ...(await servers(workers, settings, usable)),
    ];
  } finally {
    await operation.close();
  }
}

/** Snapshots of sets that this state directory does not know, and providers that cannot be asked. */
async function unrecorded(workers: PluginWorkers, settings: Settings): Promise<DoctorCheck[]> {
  const store = new Store(new Records(settings.stateDir, null), settings.exposeDir);
  const providers = await listSnapshots(workers, settings.limits.identify);
  const { accounts, unreadable } = store.journals.list();
  const known = new Set([...accounts, ...store.tombstones.read()].map(({ id }) => id));
  const failed = providers.flatMap((one) => ("error" in one ? [faultCheck("plugins", one.error)] : []));
  const found = unrecordedSets(providers, known, store.catalog).map(({ id, snapshots }): DoctorCheck => ({
    about: "state",
    state: "note",
    found: `${snapshots.map(({ snapshot }) => snapshot.id).join(", ")}: a snapshot of set ${id}, which has no record here`,
    means: "the state directory was lost, or another one has the record; nothing removes it",
    remedy: "holdstill recover --adopt",
  }));
  const deleted = deletedSnapshots(store, providers).flatMap((one): DoctorCheck[] =>
    one.type === "awaited"
      ? []
      : [
          {
            about: "state",
            state: "note",
            found: `${one.snapshot.id}: a snapshot of a set that was deleted while it could not be seen`,
            means: "it takes space, and no set has it",
            remedy: "holdstill recover",
          },
        ],
  );
  return [...unreadable.map((one) => fault("state", unreadableJournal(one))), ...failed, ...found, ...deleted];
}

function plugins({ plugins: taken, problems, warnings }: Inspection): DoctorCheck[] {
  return [
    ...taken.map(({ who, policy }) =>
      good("plugins", `${who.instance}: ${who.plugin} ${who.version}${who.role === "writer" ? `, ${policy}` : ""}`),
    ),
    ...problems.map((problem) => fault("plugins", problem)),
    ...warnings.map((found): DoctorCheck => ({ about: "plugins", state: "note", found })),
  ];
}

/** Less space than this for records and sidecars is noted, bytes. */
const little = 64 * 1024 * 1024;

function state({ stateDir: dir }: Settings): DoctorCheck[] {
  let existing = dir;
  while (!existsSync(existing)) existing = path.dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
  } catch {
    const found = `${existing} is not writable for this user`;
    const remedy = "Run as its owner, or set stateDir in the config.";
    return [{ about: "state", state: "bad", found, means: "no set can be kept", remedy }];
  }
  const { bavail, bsize } = statfsSync(existing);
  const made = existing === dir ? "" : "; it does not exist yet";
  const found = `${dir}, ${Math.round((bavail * bsize) / 1024 / 1024)} MiB free${made}`;
  if (bavail * bsize >= little) return [good("state", found)];
  return [
    { about: "state", state: "note", found, means: "records and sidecars may not fit", remedy: "holdstill prune" },
  ];
}

/** How each file system on a block device would be captured. */
async function volumes(
  workers: PluginWorkers,
  { limits }: Settings,
  usable: readonly Usable[],
): Promise<DoctorCheck[]> {
  const failures = new Map<string, HoldstillError>();
  const checks = await Promise.all(
    deviceMounts().map(async ({ mountPoint, fsType, source }): Promise<DoctorCheck | null> => {
      try {
        // A file may be mounted onto another one.
        if (!statSync(mountPoint).isDirectory()) return null;
        const {
          volumes: [volume],
        } = locate([{ paths: [mountPoint], exclude: [] }]);
        if (volume === undefined) throw new Error("the mount has gone");
        const matched = await matchAll(workers, [volume], limits.identify);
        for (const [instance, error] of matched.failed) failures.set(instance, error);
        const [match] = matched.volumes;
        if (match === undefined) throw new Error("the mount has gone");
        const { provider, qualities } = match;
        const how = qualities.method === undefined ? "" : `, ${qualities.method}`;
        const found = `${mountPoint} (${fsType} on ${source}): ${provider}${how}`;
        if (qualities.pointInTime) return good("volumes", found);
        const means = "files are copied one after the other: only for writers that tolerate it";
        const better = betterProvider(volume, usable, workers);
        const remedy = better === null ? {} : { remedy: `Add \`use: ${better}\` to the config.` };
        return { about: "volumes", state: "note", found, means, ...remedy };
      } catch (error) {
        // Only a note: the volume may not be meant to be captured.
        const { message, hint } = toFault(error);
        const remedy = hint === undefined ? {} : { remedy: hint };
        return { about: "volumes", state: "note", found: `${mountPoint}: ${message}`, ...remedy };
      }
    }),
  );
  return [...checks.filter((check) => check !== null), ...[...failures.values()].map(failedProvider)];
}

function failedProvider(error: HoldstillError): DoctorCheck {
  const { message: found, hint } = toFault(error);
  const means = "it is left out, and its volumes are captured by other providers, or not at all";
  return { about: "volumes", state: "bad", found, means, ...(hint === undefined ? {} : { remedy: hint }) };
}

/** An installed provider whose manifest describes the volume, and that no instance uses; null: there is none. */
function betterProvider(volume: Volume, usable: readonly Usable[], { plugins: used }: PluginWorkers): string | null {
  const names = new Set([...used.values()].map(({ who }) => who.plugin));
  const manifests = usable.map(({ read }) => read.manifest).filter(({ name }) => !names.has(name));
  return manifests.find((manifest) => detectedVolumes(manifest, [volume]).length > 0)?.name ?? null;
}

/** The running servers that manifests describe, and whether a writer owns their data; then the writers that failed. */
async function servers(
  workers: PluginWorkers,
  { limits }: Settings,
  usable: readonly Usable[],
): Promise<DoctorCheck[]> {
  const identified = await identifyAll(workers, limits.identify);
  const owned = identified.flatMap((one) =>
    "error" in one ? [] : one.components.flatMap(({ paths }) => paths.map((at) => ({ at, by: one.who.instance }))),
  );
  const found = findServers(usable.map(({ read }) => read.manifest)).map(({ server }): DoctorCheck => {
    const owner = server.place === "host" ? owned.find(({ at }) => isWithin(server.dataDir, at)) : undefined;
    if (owner !== undefined) return good("servers", `${describeServer(server)} is ${owner.by}`);
    const means =
      server.place === "host"
        ? "no writer freezes it: at best, a snapshot of it opens as after a crash"
        : "no writer freezes it, and its paths are those of its container: a snapshot needs the paths of this machine";
    const remedy = "holdstill init --print";
    return { about: "servers", state: "note", found: describeServer(server), means, remedy };
  });
  const failed = identified.flatMap((one) => ("error" in one ? [fault("servers", one.error)] : []));
  return [...found, ...failed, ...(await componentStorage(identified, workers, limits, usable))];
}

/** A server in words: PostgreSQL in /var/lib/postgresql/15/main, pid 812, postgresql@15-main.service. */
export function describeServer({ title, dataDir, place, pid, unit }: DetectedServer): string {
  const where = place === "host" ? dataDir : `${dataDir} of a container`;
  return `${title} in ${where}, pid ${pid}${unit === null ? "" : `, ${unit}`}`;
}
