import type { Untimed } from "../../base/events/emit.js";
import { makePlan } from "../../plan/make.js";
import type { Plan } from "../../plan/plan.js";
import type { VolumeOwner } from "../../base/schema/types.js";
import { lockVolumes } from "../../store/volume-lock.js";
import { protectedPaths } from "../protected-paths.js";
import type { EngineContext } from "../types.js";
import type { Turn } from "./volume-queue.js";
import { interruptible, type Operation } from "../operation.js";

/** What a transaction will do, and its volumes, which nobody else touches until they are released. */
export interface Claim {
  readonly plan: Plan;
  release(): void;
}

/**
 * Waits for the plan's volumes. Who had to wait plans again, as meanwhile something may be mounted elsewhere, have grown, or belong to
 * a writer that has more than it had; and if that takes other volumes, he waits for those, in his old place.
 *
 * @throws HoldstillError E_VOLUME_BUSY, and what makes a plan fail: nothing was touched.
 */
export async function claimVolumes(bench: EngineContext, first: Plan, workshop: Operation, turn: Turn): Promise<Claim> {
  const { emit, writeGate, workers } = workshop;
  const { limits } = bench.settings;
  const until = performance.now() + limits.queue;
  let plan = first;
  for (;;) {
    const volumes = idsOf(plan);
    const claimed = await claim(bench, plan, workshop, turn, until);
    if (claimed.how === "at-once") return { plan, release: claimed.release };
    try {
      await writeGate.pass();
      const request = { ...plan.request, id: plan.id };
      const now = await interruptible(workshop, () => makePlan(request, workers, limits, protectedPaths(bench)));
      for (const event of news(plan, now)) emit(event);
      plan = now;
    } catch (error) {
      claimed.release();
      throw error;
    }
    if (idsOf(plan).every((volume) => volumes.includes(volume))) return { plan, release: claimed.release };
    claimed.release();
  }
}

/** First from those of this process, then from others. */
async function claim(
  bench: EngineContext,
  plan: Plan,
  { emit, writeGate, signal }: Operation,
  turn: Turn,
  until: number,
): Promise<{ how: "at-once" | "after-others"; release: () => void }> {
  const volumes = idsOf(plan);
  const leftMs = (): number => Math.max(0, until - performance.now());
  let how = await turn.take({
    volumes,
    owner: { pid: process.pid, transaction: plan.id, since: new Date().toISOString() },
    limitMs: leftMs(),
    signal,
    onPlace: (place) => emit({ type: "queued", ...place }),
  });
  const onQueued = (volume: string, owner: VolumeOwner): void => {
    how = "after-others";
    emit({ type: "queued", volume, owner });
  };
  await writeGate.pass();
  const locks = await lockVolumes(bench.state, volumes, plan.id, leftMs(), onQueued, signal);
  return { how, release: () => locks.release() };
}

const idsOf = ({ volumes }: Plan): string[] => volumes.map(({ volume }) => volume.id);

/** What the new plan says that the old one did not. */
function news(before: Plan, now: Plan): Untimed[] {
  const told = new Set(before.warnings);
  const absent = new Set(before.leftOut.map(({ who }) => who.instance));
  const [old, fresh] = [outlineOf(before), outlineOf(now)];
  const changed =
    fresh === old ? [] : [`While it waited, what is to be captured has changed. Now: ${fresh}. Before: ${old}.`];
  return [
    ...[...changed, ...now.warnings.filter((one) => !told.has(one))].map(
      (message) => ({ type: "warning", message }) as const,
    ),
    ...now.leftOut
      .filter(({ who }) => !absent.has(who.instance))
      .map(({ who, error }) => ({ type: "left-out", actor: who.instance, error }) as const),
  ];
}

/** All that a person would want to know of a change. */
function outlineOf({ volumes, writers, promised, cut }: Plan): string {
  const places = volumes.map(
    ({ volume, provider }) => `${volume.paths.join(", ")} (volume ${volume.id}) by ${provider}`,
  );
  const who = writers.map(({ who: { instance } }) => instance);
  return [...places, who.length === 0 ? "no writer" : `with ${who.join(", ")}`, promised, cut].join("; ");
}
