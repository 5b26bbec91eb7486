import type { Untimed } from "../../base/events/emit.js";
import type { VolumeOwner } from "../../base/schema/types.js";
import type { Plan, SnapshotRequest } from "../../plan/plan.js";
import type { VolumeLocker } from "../../transaction/services.js";
import type { Operation } from "../operation.js";
import type { Turn } from "./volume-queue.js";

/** What a transaction will do, and its volumes, which no other transaction takes until they are released. */
export interface ClaimedPlan {
  readonly plan: Plan;
  /** Idempotent. */
  release(): void;
}

/** What claiming uses. */
export interface ClaimServices {
  readonly operation: Pick<Operation, "emit" | "signal"> & { readonly workers: Pick<Operation["workers"], "rest"> };
  readonly locks: VolumeLocker;
  /** How long a transaction may wait in the queue, ms. */
  readonly limitMs: number;
  readonly replan: (request: SnapshotRequest) => Promise<Plan>;
}

/**
 * Waits for the plan's volumes. A transaction that had to wait plans again: meanwhile a file system may be mounted elsewhere, have
 * grown, or contain the data of another writer. If the new plan takes other volumes, it waits for those, in its old place.
 *
 * @throws HoldstillError E_VOLUME_BUSY, and the errors of a plan: nothing was touched.
 */
export async function claimVolumes(services: ClaimServices, first: Plan, turn: Turn): Promise<ClaimedPlan> {
  const until = performance.now() + services.limitMs;
  let plan = first;
  for (;;) {
    const volumes = idsOf(plan);
    const { order, release } = await takeAll(services, plan, turn, until);
    if (order === "at-once") return { plan, release };
    try {
      const now = await services.replan({ ...plan.request, id: plan.id });
      for (const event of changes(plan, now)) services.operation.emit(event);
      plan = now;
    } catch (error) {
      release();
      throw error;
    }
    if (idsOf(plan).every((volume) => volumes.includes(volume))) return { plan, release };
    release();
  }
}

/** A transaction with no more than this many before it keeps the workers that have planned: it will need them soon. */
const soonServed = 4;

/** First from the other transactions of this process, then from other processes. */
async function takeAll(
  { operation: { emit, signal, workers }, locks }: ClaimServices,
  plan: Plan,
  turn: Turn,
  until: number,
): Promise<{ order: "at-once" | "after-others"; release: () => void }> {
  const volumes = idsOf(plan);
  const leftMs = (): number => Math.max(0, until - performance.now());
  let order = await turn.take({
    volumes,
    owner: { pid: process.pid, transaction: plan.id, since: new Date().toISOString() },
    limitMs: leftMs(),
    signal,
    onPosition(position) {
      if (position.position > soonServed) workers.rest();
      emit({ type: "queued", ...position });
    },
  });
  const onQueued = (volume: string, owner: VolumeOwner): void => {
    order = "after-others";
    emit({ type: "queued", volume, owner });
  };
  const taken = await locks.take(volumes, plan.id, { limitMs: leftMs(), onQueued, signal });
  return { order, release: () => taken.release() };
}

const idsOf = ({ volumes }: Plan): string[] => volumes.map(({ volume }) => volume.id);

/** What is new in the second plan. */
function changes(before: Plan, now: Plan): Untimed[] {
  const known = new Set(before.warnings);
  const absent = new Set(before.leftOut.map(({ who }) => who.instance));
  const [old, fresh] = [outlineOf(before), outlineOf(now)];
  const changed =
    fresh === old ? [] : [`While it waited, what is to be captured has changed. Now: ${fresh}. Before: ${old}.`];
  return [
    ...[...changed, ...now.warnings.filter((one) => !known.has(one))].map(
      (message) => ({ type: "warning", message }) as const,
    ),
    ...now.leftOut
      .filter(({ who }) => !absent.has(who.instance))
      .map(({ who, error }) => ({ type: "left-out", actor: who.instance, error }) as const),
  ];
}

/** All that a user would want to know of a change. */
function outlineOf({ volumes, writers, promised, cut }: Plan): string {
  const captured = volumes.map(
    ({ volume, provider }) => `${volume.paths.join(", ")} (volume ${volume.id}) by ${provider}`,
  );
  const instances = writers.map(({ who: { instance } }) => instance);
  return [...captured, instances.length === 0 ? "no writer" : `with ${instances.join(", ")}`, promised, cut].join("; ");
}
