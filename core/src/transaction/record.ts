import { hostname } from "node:os";
import { roundMs } from "../base/events/emit.js";
import type { Who } from "../base/errors/details.js";
import { isLowerConsistency, lowestConsistency } from "../plan/consistency.js";
import type { Plan } from "../plan/plan.js";
import type {
  FrozenSpan,
  LeftOutWriter,
  PluginRef,
  RecordedComponent,
  RecordedHold,
  RecordedWriter,
  Repair,
  SnapshotSet,
  Span,
} from "../base/schema/types.js";
import type { ParticipantAnswers } from "./calls.js";
import { ownVersion } from "../installation.js";
import { isRepaired } from "./participants.js";

/** The record of a transaction that was sealed: what was promised, less what was not kept. */
export function recordOf(
  plan: Plan,
  answers: ParticipantAnswers,
  timeline: readonly Span[],
  hold: RecordedHold | null,
): SnapshotSet {
  const writers = plan.writers.map((writer) => recordedWriter(plan, writer, answers, timeline));
  const components = plan.components.map((component) => recordedComponent(component, writers));
  const { name, tags, targets, lease, requester, retainUntil } = plan.request;
  const notCaptured = [...new Set([...(plan.notCaptured ?? []), ...answers.snapshots.flatMap(leftOutOf)])];
  return {
    recordVersion: 1,
    id: plan.id,
    ...(name === undefined ? {} : { name }),
    tags: { ...tags },
    createdAt: answers.cutAt.toISOString(),
    host: hostname(),
    holdstill: ownVersion(),
    targets: [...targets],
    cut: plan.cut,
    asked: plan.asked,
    consistency: lowestConsistency(components.map((c) => c.consistency)),
    frozenMs: frozenMs(timeline),
    components,
    writers: [...writers, ...plan.leftOut.map((one) => leftOut(one))],
    volumes: plan.volumes.map((v) => v.volume),
    snapshots: answers.snapshots.map(({ who, snapshot }) => ({ by: ref(who), snapshot })),
    ...(notCaptured.length === 0 ? {} : { notCaptured }),
    timeline: [...timeline],
    ...(hold === null ? {} : { hold }),
    ...(lease === undefined ? {} : { lease }),
    ...(retainUntil === undefined ? {} : { retainUntil }),
    ...(requester === undefined ? {} : { requester }),
  };
}

/** A provider that copies files knows of what no table of mounts shows, such as subvolumes. */
function leftOutOf({ snapshot: { facts } }: ParticipantAnswers["snapshots"][number]): string[] {
  const named = facts?.["notCaptured"];
  return Array.isArray(named) ? named.filter((one) => typeof one === "string") : [];
}

export const isDegraded = (set: SnapshotSet): boolean => isLowerConsistency(set.consistency, set.asked);

function recordedWriter(
  { request }: Plan,
  { who, policy, components }: Plan["writers"][number],
  answers: ParticipantAnswers,
  timeline: readonly Span[],
): RecordedWriter {
  const own = timeline.filter((span) => span.actor === who.instance);
  const frozen = frozenSpan(own);
  const reason =
    own.find((span) => span.outcome === "failed")?.reason ?? (frozen === null ? "it was never frozen" : undefined);
  const facts = answers.facts.get(who.instance);
  const isDue = request.repair === "later" && frozen !== null && isRepaired(components);
  const repair: Repair | undefined = isDue ? { state: "pending", in: [] } : answers.repairs.get(who.instance);
  const sidecar = answers.sidecars.get(who.instance);
  return {
    by: ref(who),
    policy,
    state: reason === undefined ? "frozen" : frozen === null ? "left-out" : "degraded",
    ...(reason === undefined ? {} : { reason }),
    ...(frozen === null ? {} : { frozen }),
    ...(facts === undefined ? {} : { facts }),
    ...(repair === undefined ? {} : { repair }),
    ...(sidecar === undefined ? {} : { sidecar }),
  };
}

/** From the asking of a freeze that was answered to what ended it. */
function frozenSpan(own: readonly Span[]): FrozenSpan | null {
  const freeze = own.find((span) => span.op === "freeze" && span.outcome === "ok");
  const end = endOfFreeze(own);
  return freeze === undefined || end === undefined ? null : { since: freeze.from, until: end.to };
}

/** The thaw, or the abort that had to serve instead. */
const endOfFreeze = (own: readonly Span[]): Span | undefined =>
  own.find((span) => span.op === "thaw" && span.outcome === "ok") ??
  own.findLast((span) => span.op === "thaw" || span.op === "abort");

/** From the first freeze that was asked, answered or not, to the end of the last. */
function frozenMs(timeline: readonly Span[]): number {
  const asked = timeline.filter((span) => span.op === "freeze");
  if (asked.length === 0) return 0;
  const ends = asked.map((freeze) => endOfFreeze(timeline.filter(({ actor }) => actor === freeze.actor)) ?? freeze);
  return roundMs(Math.max(...ends.map(({ to }) => to)) - Math.min(...asked.map(({ from }) => from)));
}

function recordedComponent(
  { writer, component, volumes, withoutWriter, promised, reason }: Plan["components"][number],
  writers: readonly RecordedWriter[],
): RecordedComponent {
  const shared = { writer, component, volumes: [...volumes] };
  const broken = writers.find((w) => w.by.instance === writer && w.state !== "frozen");
  if (broken === undefined) return { ...shared, consistency: promised, ...(reason === undefined ? {} : { reason }) };
  return { ...shared, consistency: withoutWriter, reason: broken.reason ?? broken.state };
}

const leftOut = ({ who, policy, error }: LeftOutWriter): RecordedWriter => ({
  by: ref(who),
  policy,
  state: "left-out",
  reason: error.message,
});
const ref = ({ instance, plugin, version: of }: Who): PluginRef => ({ instance, plugin, version: of });
