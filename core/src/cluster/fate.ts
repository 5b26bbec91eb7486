import { HoldstillError } from "../base/errors/error.js";
import type { ClusterPlan } from "../base/schema/types.js";
import type { ClusterEngine } from "./engine.js";
import type { ClusterKeys } from "./keys.js";
import { OwnKey, type OwnValue } from "./own-key.js";
import { clusterRecord } from "./proof.js";
import type { SetVerdict } from "./rendezvous.js";
import { SetView, valueOf } from "./set-view.js";

const ASK_MS = 5000;

/** A set, and the host that asks for it. */
export interface SetPlace {
  readonly engine: ClusterEngine;
  readonly keys: ClusterKeys;
  readonly self: string;
  readonly set: string;
}

/**
 * The fate of a set for which a process of this host has voted that is gone. If there is no verdict, the host withdraws: a transaction
 * decides whether that came first. Never rejects.
 */
export async function fateOfVoted({ engine, keys, self, set }: SetPlace): Promise<SetVerdict> {
  const key = keys.of({ type: "verdict", set });
  const unknown = (cause: unknown): SetVerdict => ({
    type: "unknown",
    error: new HoldstillError("E_CLUSTER_DOUBT", { set, key }, { cause }),
  });
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const read = await readSet(engine, keys, set);
      if (read === null) return unknown(null);
      const { view } = read;
      if (view.verdict?.verdict === "commit") return { type: "commit", cluster: clusterRecord(view, keys, self, set) };
      const reason = view.verdict?.reason?.message ?? `${self} has withdrawn`;
      const abort: SetVerdict = { type: "abort", error: new HoldstillError("E_CLUSTER_ABORTED", { reason }) };
      if (view.verdict !== null || view.stateOf(self)?.state.step === "withdrawn") return abort;
      const own = new OwnKey(engine, keys, self, set, ownValue(view, self));
      const gone = { code: "E_CLUSTER_ABORTED", message: "Its process had died, and the host has recovered." };
      const stated = await own.state({ step: "withdrawn", reason: gone }, ASK_MS);
      if (stated.type === "stated" || stated.type === "closed") return abort;
    }
    return unknown(null);
  } catch (error) {
    return unknown(error);
  }
}

/** States what a host has done with a set whose process is gone. Best effort. */
export async function settleLeft({ engine, keys, self, set }: SetPlace, fate: "kept" | "undone"): Promise<void> {
  const read = await readSet(engine, keys, set);
  const left = read === null ? null : ownValue(read.view, self);
  if (read === null || left === null) return;
  const part = read.view.voteOf(self);
  const voted = fate === "kept" && part !== null ? { part } : {};
  await new OwnKey(engine, keys, self, set, left).settle({ step: "settled", fate, ...voted }, ASK_MS);
}

const ownValue = (view: SetView, self: string): OwnValue | null => view.stateOf(self);

/** All that the engine has of a set; null: its plan is not there. */
export async function readSet(
  engine: ClusterEngine,
  keys: ClusterKeys,
  set: string,
): Promise<{ plan: ClusterPlan; view: SetView } | null> {
  const { entries } = await engine.read(keys.prefix, ASK_MS);
  const text = entries.find(({ key }) => key === keys.of({ type: "plan", set }))?.value;
  const plan = text === undefined ? null : valueOf(text);
  if (plan?.key !== "plan") return null;
  const view = new SetView(
    set,
    plan.hosts.map(({ host }) => host),
    keys,
  );
  for (const entry of entries.toSorted((a, b) => a.revision - b.revision)) view.note(entry);
  return { plan, view };
}
