import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { release } from "node:os";
import path from "node:path";
import { loadSettings } from "../../base/config/load.js";
import type { Settings } from "../../base/config/settings.js";
import { toFault } from "../../base/errors/error.js";
import { canMount } from "../../os/exec/mount-tree.js";
import { isProgram } from "../../os/exec/program.js";
import { type Inspection, inspectPlugins } from "../../host/manifest/resolve.js";
import type { Usable } from "../../host/manifest/judge.js";
import { identifyAll } from "../../plan/writers.js";
import { matchAll } from "../../plan/match.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { detectedVolumes } from "./detected-volumes.js";
import { findServers } from "./servers.js";
import { isWithin, readMounts } from "../../os/mounts.js";
import type { DetectedServer, DoctorCheck, Finding, Volume } from "../../base/schema/types.js";
import { locate } from "../../plan/locate.js";
import { baseEnvironment } from "../../os/environment.js";
import { contextOf } from "../context.js";
import type { OpenOptions } from "../types.js";
import { Operation } from "../operation.js";
import { planContext } from "../planning-engine.js";

/** Checks everything that a transaction needs. What is missing or invalid, such as the config, becomes a check, not an error. */
export async function examine(options: OpenOptions): Promise<DoctorCheck[]> {
  const before = [...system(), ...rights()];
  const { config: file, cwd, env } = options;
  try {
    const settings = await loadSettings({
      ...(file === undefined ? {} : { file }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
    });
    return [...before, config(settings), ...(await withSettings(settings))];
  } catch (error) {
    return [...before, fault("config", error)];
  }
}

const good = (about: DoctorCheck["about"], found: string): DoctorCheck => ({ about, state: "good", found });

function fault(about: DoctorCheck["about"], error: unknown): DoctorCheck {
  const { message, hint, details } = toFault(error);
  const { findings } = (details ?? {}) as { findings?: Finding[] };
  const means = findings?.map(
    ({ file, line, seen, expected }) => `${file}:${line ?? 1}: ${seen}, expected ${expected}`,
  );
  return {
    about,
    state: "bad",
    found: message,
    ...(means === undefined ? {} : { means: means.join("; ") }),
    ...(hint === undefined ? {} : { remedy: hint }),
  };
}

function system(): DoctorCheck[] {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const found = `Linux ${release()}, Node ${process.version.slice(1)}, ${process.arch}`;
  if (major > 6 || (major === 6 && minor >= 8)) return [good("system", found)];
  const means =
    "before Linux 6.8 a freeze cannot be nested: another program's lvcreate fails while a file system is frozen";
  return [{ about: "system", state: "note", found, means }];
}

function rights(): DoctorCheck[] {
  const user: DoctorCheck =
    process.geteuid?.() === 0
      ? good("rights", "root")
      : {
          about: "rights",
          state: "note",
          found: "an ordinary user",
          means: "volumes cannot be held, and only files that this user can read are captured",
          remedy: "sudo holdstill doctor",
        };
  const means =
    "the command of `run` reads the snapshots where the provider exposes them, at different paths each time";
  return canMount() ? [user] : [user, { about: "rights", state: "note", found: "mounting is not permitted", means }];
}

function config({ file }: Settings): DoctorCheck {
  if (file !== null) return good("config", file);
  const means = "no application is frozen";
  return { about: "config", state: "note", found: "there is no config", means, remedy: "holdstill init" };
}

async function withSettings(settings: Settings): Promise<DoctorCheck[]> {
  const inspection = await inspectPlugins(settings);
  const shared = [...plugins(inspection), ...tools(), ...state(settings)];
  if (shared.some((check) => check.state === "bad")) return shared;
  return [...shared, ...(await asked(inspection, settings).catch((error: unknown) => [fault("plugins", error)]))];
}

/** What the plugins report. */
async function asked({ plugins: taken, usable }: Inspection, settings: Settings): Promise<DoctorCheck[]> {
  const operation = await Operation.begin(planContext(contextOf(settings, null)), taken);
  try {
    const { workers } = operation;
    return [...(await volumes(workers, settings, usable)), ...(await servers(workers, settings, usable))];
  } finally {
    await operation.close();
  }
}

function plugins({ plugins: taken, problems }: Inspection): DoctorCheck[] {
  return [
    ...taken.map(({ who, policy }) =>
      good("plugins", `${who.instance}: ${who.plugin} ${who.version}${who.role === "writer" ? `, ${policy}` : ""}`),
    ),
    ...problems.map((problem) => fault("plugins", problem)),
  ];
}

/** The programs that holdstill itself runs, with their packages. The programs of plugins are checked with the plugins. */
const programs = { unshare: "util-linux", setpriv: "util-linux", mount: "mount", cp: "coreutils" } as const;

function tools(): DoctorCheck[] {
  const { PATH } = baseEnvironment();
  const missing = Object.entries(programs).filter(([command]) => !isProgram(command, PATH));
  if (missing.length === 0) return [good("tools", Object.keys(programs).join(", "))];
  return missing.map(([command, name]) => ({
    about: "tools",
    state: "bad",
    found: `${command} is missing`,
    means: "`run` and `restore` cannot work",
    remedy: `apt-get install ${name}`,
  }));
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
  const seen = new Set<string>();
  const mounts = readMounts().filter(({ source, number, mountPoint }) => {
    const isNew = source.startsWith("/dev/") && !seen.has(number) && statSync(mountPoint).isDirectory();
    if (isNew) seen.add(number);
    return isNew;
  });
  return Promise.all(
    mounts.map(async ({ mountPoint, fsType, source }): Promise<DoctorCheck> => {
      try {
        const {
          volumes: [volume],
        } = locate([{ paths: [mountPoint], exclude: [] }]);
        const [match] = volume === undefined ? [] : await matchAll(workers, [volume], limits.identify);
        if (volume === undefined || match === undefined) throw new Error("the mount has gone");
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
        return { about: "volumes", state: "note", found: `${mountPoint}: ${toFault(error).message}` };
      }
    }),
  );
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
    const owner = owned.find(({ at }) => isWithin(server.dataDir, at));
    if (owner !== undefined) return good("servers", `${describeServer(server)} is ${owner.by}`);
    const means = "no writer freezes it: at best, a snapshot of it opens as after a crash";
    const remedy = "holdstill init --print";
    return { about: "servers", state: "note", found: describeServer(server), means, remedy };
  });
  const failed = identified.flatMap((one) => ("error" in one ? [fault("servers", one.error)] : []));
  return [...found, ...failed];
}

/** A server in words: PostgreSQL in /var/lib/postgresql/15/main, pid 812, postgresql@15-main.service. */
export function describeServer({ title, dataDir, pid, unit }: DetectedServer): string {
  return `${title} in ${dataDir}, pid ${pid}${unit === null ? "" : `, ${unit}`}`;
}
