import { hostname } from "node:os";
import type { Who } from "../errors/details.js";
import { bare } from "../plan/negotiate.js";
import { isBelow, lowest } from "../plan/consistency.js";
import type { Plan } from "../plan/plan.js";
import type {
  PluginRef,
  RecordedComponent,
  RecordedSidecar,
  RecordedWriter,
  Snapshot,
  SnapshotSet,
  Span,
} from "../schema/types.js";
import { ownVersion } from "../version.js";

/** What the runner saw of a writer. Times in ms from the transaction's start. */
export interface WriterAccount {
  frozenSince: number | null;
  thawedAt: number | null;
  /** Why it takes no further part; null when it was held throughout. */
  why: string | null;
  facts: Record<string, unknown>;
  sidecar: RecordedSidecar | null;
}

export interface Achieved {
  cutAt: Date;
  frozenMs: number;
  writers: ReadonlyMap<string, WriterAccount>;
  snapshots: readonly { who: Who; snapshot: Snapshot }[];
  timeline: readonly Span[];
}

/** The record of a transaction that was sealed: what was promised, less what was not kept. */
export function recordOf(plan: Plan, achieved: Achieved): SnapshotSet {
  const writers = plan.writers.map((writer) => recordedWriter(writer, achieved.writers.get(writer.who.instance)));
  const components = plan.components.map((component) => recordedComponent(component, plan, writers));
  const { name, tags, targets } = plan.request;
  return {
    recordVersion: 1,
    id: plan.id,
    ...(name === undefined ? {} : { name }),
    tags: { ...tags },
    createdAt: achieved.cutAt.toISOString(),
    host: hostname(),
    holdstill: ownVersion(),
    targets: [...targets],
    cut: plan.cut,
    asked: plan.asked,
    consistency: lowest(components.map((c) => c.consistency)),
    frozenMs: achieved.frozenMs,
    components,
    writers: [...writers, ...plan.leftOut.map(({ who, error }) => leftOut(who, error.message))],
    volumes: plan.volumes.map((v) => v.volume),
    snapshots: achieved.snapshots.map(({ who, snapshot }) => ({ by: ref(who), snapshot })),
    timeline: [...achieved.timeline],
  };
}

export const isDegraded = (set: SnapshotSet): boolean => isBelow(set.consistency, set.asked);

function recordedWriter({ who, policy }: Plan["writers"][number], account: WriterAccount | undefined): RecordedWriter {
  const { frozenSince = null, thawedAt = null, why = null, facts = {}, sidecar = null } = account ?? {};
  const state = why === null ? "held" : frozenSince === null || policy === "best-effort" ? "left-out" : "degraded";
  return {
    by: ref(who),
    policy,
    state,
    ...(why === null ? {} : { why }),
    ...(frozenSince === null || thawedAt === null ? {} : { frozen: { since: frozenSince, until: thawedAt } }),
    ...(Object.keys(facts).length === 0 ? {} : { facts }),
    ...(sidecar === null ? {} : { sidecar }),
  };
}

function recordedComponent(
  { writer, component, volumes, promised, why }: Plan["components"][number],
  { cut }: Plan,
  writers: readonly RecordedWriter[],
): RecordedComponent {
  const shared = { writer, component, volumes: [...volumes] };
  const broken = writers.find((w) => w.by.instance === writer && w.state !== "held");
  if (broken === undefined) return { ...shared, consistency: promised, ...(why === undefined ? {} : { why }) };
  return { ...shared, consistency: bare(cut).consistency, why: broken.why ?? broken.state };
}

const leftOut = (who: Who, why: string): RecordedWriter => ({
  by: ref(who),
  policy: "best-effort",
  state: "left-out",
  why,
});
const ref = ({ instance, plugin, version: of }: Who): PluginRef => ({ instance, plugin, version: of });
