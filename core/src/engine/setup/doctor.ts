import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { release } from "node:os";
import path from "node:path";
import { loadSettings } from "../../base/config/load.js";
import type { Settings } from "../../base/config/settings.js";
import { toFault } from "../../base/errors/error.js";
import { canMount } from "../../os/exec/mount-tree.js";
import { isProgram } from "../../os/exec/program.js";
import { type Inspection, inspectPlugins } from "../../host/manifest/resolve.js";
import { identifyAll } from "../../plan/writers.js";
import { matchAll } from "../../plan/match.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { findServers, type Server } from "./servers.js";
import { isWithin, readMounts } from "../../os/mounts.js";
import type { DoctorCheck } from "../../base/schema/types.js";
import { locate } from "../../plan/locate.js";
import { baseEnvironment } from "../../os/environment.js";
import { contextOf } from "../context.js";
import type { OpenOptions } from "../types.js";
import { Operation } from "../operation.js";
import { planContext } from "../planning-engine.js";

/** Looks at everything that a transaction will need, also where the config cannot be read. Never throws for what it finds. */
export async function examine(options: OpenOptions): Promise<DoctorCheck[]> {
  const before = [...system(), ...rights()];
  try {
    const { config: file, cwd, env } = options;
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
  const { findings } = (details ?? {}) as {
    findings?: { file: string; line?: number; seen: string; expected: string }[];
  };
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
  const means = "fsfreeze cannot be nested before 6.8: lvcreate by others fails while a file system is frozen";
  return [{ about: "system", state: "note", found, means }];
}

function rights(): DoctorCheck[] {
  const isRoot = process.geteuid?.() === 0;
  const held: DoctorCheck = isRoot
    ? good("rights", "root")
    : {
        about: "rights",
        state: "note",
        found: "an ordinary user",
        means: "no volume can be held, and only one's own files are captured",
        remedy: "sudo holdstill doctor",
      };
  const means = "`run` gives its command the snapshots where they are, by other paths each time";
  return canMount() ? [held] : [held, { about: "rights", state: "note", found: "mounting is not permitted", means }];
}

function config({ file }: Settings): DoctorCheck {
  if (file !== null) return good("config", file);
  const means = "no application is asked to hold still";
  return { about: "config", state: "note", found: "there is none", means, remedy: "holdstill init" };
}

async function withSettings(settings: Settings): Promise<DoctorCheck[]> {
  const inspection = await inspectPlugins(settings);
  const shared = [...plugins(inspection), ...tools(), ...state(settings)];
  if (shared.some((check) => check.state === "bad")) return shared;
  return [...shared, ...(await asked(inspection, settings).catch((error: unknown) => [fault("plugins", error)]))];
}

/** What the plugins report. */
async function asked({ plugins: taken }: Inspection, settings: Settings): Promise<DoctorCheck[]> {
  const operation = await Operation.begin(planContext(contextOf(settings, null)), taken);
  try {
    const { workers } = operation;
    return [...(await volumes(workers, settings)), ...(await databases(workers, settings))];
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

/** What holdstill itself runs, and the package of it. Of a plugin that lacks a program the plugins' check tells. */
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

/** Less than this for records and sidecars, bytes, is told of. */
const little = 64 * 1024 * 1024;

function state({ stateDir: dir }: Settings): DoctorCheck[] {
  let place = dir;
  while (!existsSync(place)) place = path.dirname(place);
  try {
    accessSync(place, constants.W_OK);
  } catch {
    const remedy = "Run as its owner, or set stateDir in the config.";
    return [
      {
        about: "state",
        state: "bad",
        found: `${place} may not be written to`,
        means: "no set can be kept",
        remedy,
      },
    ];
  }
  const { bavail, bsize } = statfsSync(place);
  const found = `${dir}, ${Math.round((bavail * bsize) / 1024 / 1024)} MiB free${place === dir ? "" : "; not made yet"}`;
  if (bavail * bsize >= little) return [good("state", found)];
  return [{ about: "state", state: "note", found, means: "records and WAL may not fit", remedy: "holdstill prune" }];
}

/** Of each file system that lies on a device, how it would be captured. */
async function volumes(workers: PluginWorkers, { limits }: Settings): Promise<DoctorCheck[]> {
  const seen = new Set<string>();
  const mounts = readMounts().filter(({ source, number, mountPoint }) => {
    const isOurs = source.startsWith("/dev/") && !seen.has(number) && statSync(mountPoint).isDirectory();
    if (isOurs) seen.add(number);
    return isOurs;
  });
  return Promise.all(
    mounts.map(async ({ mountPoint, fsType, source }): Promise<DoctorCheck> => {
      try {
        const {
          volumes: [volume],
        } = locate([{ paths: [mountPoint], exclude: [] }]);
        const [match] = volume === undefined ? [] : await matchAll(workers, [volume], limits.identify);
        if (match === undefined) throw new Error("no provider was asked");
        const { provider, qualities } = match;
        const found = `${mountPoint} (${fsType} on ${source}): ${provider}, ${qualities.method ?? "its own way"}`;
        if (qualities.pointInTime) return good("volumes", found);
        const means = "not of one instant: for writers that tolerate a copy; `none` for bare files";
        return { about: "volumes", state: "note", found, means };
      } catch (error) {
        // Nobody may want it captured.
        return { about: "volumes", state: "note", found: `${mountPoint}: ${toFault(error).message}` };
      }
    }),
  );
}

async function databases(workers: PluginWorkers, { limits }: Settings): Promise<DoctorCheck[]> {
  const identified = await identifyAll(workers, limits.identify);
  const owned = identified.flatMap((one) =>
    "error" in one ? [] : one.components.flatMap(({ paths }) => paths.map((at) => ({ at, by: one.who.instance }))),
  );
  const servers = findServers().map((server): DoctorCheck => {
    const owner = owned.find(({ at }) => isWithin(server.dataDir, at));
    if (owner !== undefined) return good("databases", `${describeChecks(server)} is ${owner.by}`);
    const means = "no writer holds it still: a snapshot of it opens as after a crash, at best";
    return {
      about: "databases",
      state: "note",
      found: describeChecks(server),
      means,
      remedy: "holdstill init --print",
    };
  });
  const silent = identified.flatMap((one) => ("error" in one ? [fault("databases", one.error)] : []));
  return [...servers, ...silent];
}

export function describeChecks({ kind, dataDir, pid, unit }: Server): string {
  const name = kind === "postgres" ? "PostgreSQL" : "MySQL or MariaDB";
  return `${name} in ${dataDir}, pid ${pid}${unit === null ? "" : `, ${unit}`}`;
}
