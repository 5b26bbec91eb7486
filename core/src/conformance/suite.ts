import { thisHost } from "../host/manifest/host.js";
import type { CheckResult, ConformanceReport, Fixture, Runtime } from "../base/schema/types.js";
import { realPathOf } from "../os/mounts.js";
import { type ConformanceCheck, runChecks, type CheckContext, withNeeds } from "./check.js";
import { optionSets } from "./fixture.js";
import { folderChecks } from "./folder/checks.js";
import type { CheckedSubject, Folder } from "./folder/folder.js";
import { endChecks, loadChecks } from "./loads.js";
import { captureChecks } from "./provider/capture.js";
import { changeChecks } from "./provider/changes.js";
import { snapshotChecks } from "./provider/contents.js";
import { faithfulChecks } from "./provider/faithful.js";
import { promiseChecks } from "./provider/promises.js";
import { rawDeviceChecks } from "./provider/raw-device.js";
import { receiveChecks } from "./provider/receive.js";
import { providerStateChecks } from "./provider/state.js";
import { unseenChecks } from "./provider/unseen.js";
import { ProviderScenario } from "./provider/stage.js";
import { removeChecks, undoChecks } from "./provider/undo.js";
import { adoptOrphans } from "./residue.js";
import { PluginRig } from "./rig.js";
import { Traces, traceChecks } from "./traces.js";
import { abortChecks } from "./writer/abort.js";
import { identifyChecks } from "./writer/identify.js";
import { orderChecks } from "./writer/order.js";
import { contentsChecks as writerContentsChecks } from "./writer/contents.js";
import { signalChecks } from "./writer/signal.js";
import { writerStateChecks } from "./writer/state.js";
import { stillChecks } from "./writer/still.js";
import { WriterScenario } from "./writer/stage.js";

export interface CheckOptions {
  /** What the plugin is tested on, or the file that describes it. Default: conformance.json in the plugin's folder. */
  readonly fixture?: Fixture | string;
  /** Default: both, or what the manifest's `isolation: process` or `runtime: executable` leaves. */
  readonly runtimes?: readonly Runtime[];
  /** Names of checks: these are done, and those that they need. Default: all. */
  readonly only?: readonly string[];
  /** Gets the plugin's log, without secrets, a line each. */
  readonly onLog?: (line: string) => void;
  /** Told what the suite waits for, without secrets, if that takes more than some seconds. */
  readonly onWait?: (what: string) => void;
  /** Told of each check as it is done. */
  readonly onResult?: (result: CheckResult) => void;
  /** Ends the suite after the check that is under way, and cleans up. Then its reason is thrown. */
  readonly signal?: AbortSignal;
}

/**
 * Checks a plugin against the contract, on real workers and what its fixture sets up. Whatever is wrong with the plugin is in the
 * report; anything else that is thrown is a bug of the suite.
 *
 * @throws HoldstillError E_TARGET_UNREADABLE if the folder does not exist.
 */
export async function checkPlugin(dir: string, options: CheckOptions = {}): Promise<ConformanceReport> {
  const begun = performance.now();
  const {
    fixture = null,
    onLog = () => {},
    onWait = () => {},
    onResult = () => {},
    signal = new AbortController().signal,
  } = options;
  const only = options.only === undefined ? null : withNeeds(options.only, everyCheck);
  const watching = { onResult, signal, only };
  const folder: Folder = { dir: realPathOf(dir), host: thisHost(), given: fixture };
  const alone = { earlier: [], after: async () => {}, redact: (text: string) => text };
  const results = await runChecks(folderChecks, folder, { ...alone, ...watching });
  const subjects = results.some(({ status }) => status === "failed") ? [] : subjectsOf(folder);
  const before = [...results];
  for (const [number, subject] of subjects.entries()) {
    const rig: PluginRig = new PluginRig(subject, signal, {
      onLog: (line) => onLog(redactorOf(rig)(line)),
      onWait: (what) => onWait(redactorOf(rig)(what)),
    });
    const placed = number === 0 ? watching : { ...watching, variant: number };
    results.push(...(await withRig(rig, before, options.runtimes ?? both, placed)));
  }
  return reportOf(folder, results, performance.now() - begun);
}

const writerChecks = [
  ...identifyChecks,
  ...orderChecks,
  ...stillChecks,
  ...writerContentsChecks,
  ...abortChecks,
  ...signalChecks,
  ...writerStateChecks,
];
const providerChecks = [
  ...captureChecks,
  ...snapshotChecks,
  ...faithfulChecks,
  ...promiseChecks,
  ...rawDeviceChecks,
  ...changeChecks,
  ...receiveChecks,
  ...removeChecks,
  ...unseenChecks,
  ...undoChecks,
  ...providerStateChecks,
];
const everyCheck = [...folderChecks, ...loadChecks, ...writerChecks, ...providerChecks, ...traceChecks, ...endChecks];
/** Of every check: what --only may name. */
export const checkNames: readonly string[] = [...new Set(everyCheck.map(({ name }) => name))];

const both: readonly Runtime[] = ["thread", "process"];
type Watching = Pick<CheckContext, "onResult" | "signal" | "only" | "variant">;

async function withRig(
  rig: PluginRig,
  earlier: readonly CheckResult[],
  asked: readonly Runtime[],
  watching: Watching,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  adoptOrphans("on");
  try {
    for (const runtime of asked) {
      // A plugin that requires a process, or is a program, never runs in a thread.
      const { isolation, runtime: kind } = rig.manifest;
      if (runtime === "thread" && (isolation === "process" || kind === "executable")) continue;
      rig.runtime = runtime;
      results.push(...(await inWorkers(rig, earlier, watching)));
    }
    const last = { earlier: results, after: async () => {}, redact: redactorOf(rig), ...watching };
    results.push(...(await runChecks(endChecks, rig, last)));
  } finally {
    await rig.retire();
    await rig.tearDown();
    rig.remove();
    adoptOrphans("off");
  }
  return results;
}

/** Removes secrets from a report, because a plugin may have shown them. */
function redactorOf(rig: PluginRig): (text: string) => string {
  const secrets = rig.secrets;
  return (text) => secrets.reduce((rest, { value }) => rest.replaceAll(value, "(hidden)"), text);
}

async function inWorkers(rig: PluginRig, earlier: readonly CheckResult[], watching: Watching): Promise<CheckResult[]> {
  const { runtime } = rig;
  const obstacle = (): string | null => rig.obstacle;
  const common = { runtime, obstacle, after: () => rig.closeAll(), redact: redactorOf(rig), ...watching };
  const results = await runChecks(loadChecks, rig, { ...common, earlier });
  const traces = await Traces.of(rig);
  const after = async (status: CheckResult["status"], stage: WriterScenario | ProviderScenario): Promise<void> => {
    // A check may be skipped after it has begun.
    if (status === "failed" || (status === "skipped" && stage.hasBegun)) await stage.cleanUp();
    if (status === "failed") {
      await rig.restore();
      if (stage instanceof ProviderScenario) stage.refurnish();
      traces.renew();
    }
    stage.forget();
    await rig.closeAll();
  };
  const attempt = async <S extends WriterScenario | ProviderScenario>(
    checks: readonly ConformanceCheck<S>[],
    stage: S,
  ): Promise<void> => {
    const onStage = {
      ...common,
      earlier: results,
      after: (status: CheckResult["status"]) => after(status, stage),
      again: () => stage.cleanUp(),
    };
    try {
      results.push(...(await runChecks(checks, stage, onStage)));
    } finally {
      await stage.cleanUp();
      await rig.retire();
      if (stage instanceof ProviderScenario) stage.leaveTargets();
    }
  };
  if (rig.who.role === "writer") await attempt(writerChecks, new WriterScenario(rig));
  else await attempt(providerChecks, new ProviderScenario(rig));
  results.push(...(await runChecks(traceChecks, traces, { ...common, earlier: results })));
  return results;
}

/** One for each set of options. */
function subjectsOf({ dir, valid, fixture = {} }: Folder): CheckedSubject[] {
  if (valid === undefined) return [];
  return optionSets(fixture).map((options) => ({ dir, valid, fixture: { ...fixture, options } }));
}

function reportOf({ dir, host, valid }: Folder, checks: CheckResult[], ms: number): ConformanceReport {
  const count = (status: CheckResult["status"]): number => checks.filter((check) => check.status === status).length;
  const { name, version, kind } = valid?.manifest ?? {};
  return {
    reportVersion: 1,
    holdstill: host.version,
    plugin: {
      dir,
      ...(name === undefined ? {} : { name }),
      ...(version === undefined ? {} : { version }),
      ...(kind === undefined ? {} : { kind }),
    },
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    ms: Math.round(ms),
    checks,
  };
}
