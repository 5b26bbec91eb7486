import { HoldstillError, toFault } from "../base/errors/error.js";
import type { ClusterPlan, ClusterVerdict, Fault, RequesterState } from "../base/schema/types.js";
import type { ClusterEngine, KeyWatch } from "./engine.js";
import type { ClusterKeys } from "./keys.js";
import { type ReachedStep, SetView } from "./set-view.js";

/** How long the hosts get, ms. */
export interface CoordinatorLimits {
  /** To come to each step. */
  readonly reach: { readonly [S in ReachedStep]: number };
  /** To do what the verdict demands. */
  readonly settle: number;
  /** For what the requester writes. */
  readonly write: number;
}

export interface CoordinatedSet {
  readonly engine: ClusterEngine;
  readonly keys: ClusterKeys;
  readonly set: string;
  readonly plan: ClusterPlan;
  readonly limits: CoordinatorLimits;
  /** Aborted with the error that interrupts. */
  readonly signal: AbortSignal;
  /** Called when a host has come to a step. */
  readonly onChange: (view: SetView) => void;
}

/** The fate of the set. `unknown`: the engine could not be asked; the hosts learn it from there when it is back. */
export type Fate =
  | { type: "commit"; view: SetView }
  | { type: "abort"; view: SetView; error: HoldstillError }
  | { type: "unknown"; view: SetView; error: HoldstillError };

/** After this time the engine is also asked by way of other members, ms. */
const DOUBT_MS = 250;

/**
 * Asks hosts for a set: writes the plan, comes to `armed` and `frozen` with the hosts, so that none of them freezes for a requester that
 * is gone, and decides. It has no part in the hold. The commit is conditional on every host's vote, so a host that withdraws wins or loses
 * against it, and both learn which.
 *
 * @throws HoldstillError E_CLUSTER_UNREACHABLE, E_CLUSTER_DENIED: nothing has begun
 */
export async function coordinate(asked: CoordinatedSet): Promise<Fate> {
  const { engine, keys, set, plan, limits } = asked;
  const key = keys.of({ type: "plan", set });
  const planned = await engine.transact(
    {
      when: [{ key, revision: 0 }],
      write: [{ type: "put", key, value: JSON.stringify(plan) }],
      otherwiseRead: [key],
    },
    limits.write,
  );
  const revision = planned.type === "done" ? planned.revision : (planned.found[0]?.revision ?? planned.revision);
  return new Coordination(asked, revision).run();
}

const order: readonly ReachedStep[] = ["armed", "frozen", "taken", "sealed"];

class Coordination {
  readonly #asked: CoordinatedSet;
  readonly #view: SetView;
  readonly #watch: KeyWatch;
  /** Called at each change. */
  #wake: () => void = () => undefined;

  constructor(asked: CoordinatedSet, from: number) {
    const { engine, keys, set, plan, onChange } = asked;
    this.#asked = asked;
    this.#view = new SetView(
      set,
      plan.hosts.map(({ host }) => host),
      keys,
    );
    this.#watch = engine.watch(keys.prefix, from, (change) => {
      if (!this.#view.note(change)) return;
      onChange(this.#view);
      this.#wake();
    });
  }

  async run(): Promise<Fate> {
    try {
      const fate = await this.#decide();
      if (fate.type !== "unknown") await this.#cleanUp();
      return fate;
    } finally {
      this.#watch.close();
    }
  }

  async #decide(): Promise<Fate> {
    const { limits } = this.#asked;
    for (const step of order) {
      const error = await this.#until(() => this.#view.haveAllReached(step), limits.reach[step], step);
      if (error !== null) return this.#abort(error);
      if (step === "armed" || step === "frozen") await this.#come(step).catch(() => undefined);
    }
    return this.#commit();
  }

  /** @returns Why it will not come to pass. */
  #until(isOver: () => boolean, limitMs: number, step: ReachedStep): Promise<HoldstillError | null> {
    const { signal } = this.#asked;
    return new Promise((resolve) => {
      const end = (error: HoldstillError | null): void => {
        clearTimeout(timer);
        clearTimeout(doubt);
        signal.removeEventListener("abort", interrupt);
        this.#wake = () => undefined;
        resolve(error);
      };
      const interrupt = (): void => end(signal.reason as HoldstillError);
      const late = (): void => {
        const hosts = this.#view.hosts.filter((host) => this.#view.missing(step).includes(host));
        end(new HoldstillError("E_CLUSTER_LATE", { step, hosts, limitMs }));
      };
      const timer = setTimeout(late, limitMs);
      const doubt = setTimeout(() => this.#watch.doubt(), DOUBT_MS);
      signal.addEventListener("abort", interrupt, { once: true });
      this.#wake = (): void => {
        const gone = this.#view.gone();
        if (this.#view.verdict?.verdict === "abort")
          end(new HoldstillError("E_CLUSTER_ABORTED", { reason: this.#view.verdict.reason?.message ?? "" }));
        else if (gone !== null) end(new HoldstillError("E_CLUSTER_HOST", gone));
        else if (isOver()) end(null);
      };
      if (signal.aborted) interrupt();
      else this.#wake();
    });
  }

  /** A host that does not see it withdraws at its own limit. */
  async #come(step: RequesterState["step"]): Promise<void> {
    const { engine, keys, set, limits } = this.#asked;
    const key = keys.of({ type: "requester", set });
    const state: RequesterState = { key: "requester", step };
    const write = [{ type: "put", key, value: JSON.stringify(state) } as const];
    const when = [{ key: keys.of({ type: "verdict", set }), revision: 0 }];
    await engine.transact({ when, write, otherwiseRead: [] }, limits.write);
  }

  async #commit(): Promise<Fate> {
    const { keys, set } = this.#asked;
    const votes = this.#view.hosts.map((host) => ({
      key: keys.of({ type: "host", host, set }),
      revision: this.#view.stateOf(host)?.revision ?? 0,
    }));
    const written = await this.#write({ key: "verdict", verdict: "commit" }, votes);
    if (written.type === "unknown") return written;
    if (written.type === "verdict") return this.#fateOf(written.verdict);
    // A host has withdrawn its vote.
    const gone = this.#view.gone() ?? { host: "A host", reason: "its vote was withdrawn" };
    return this.#abort(new HoldstillError("E_CLUSTER_HOST", gone));
  }

  async #abort(error: HoldstillError): Promise<Fate> {
    const { code, message } = toFault(error);
    const reason: Fault = { code, message: message.slice(0, 500) };
    const written = await this.#write({ key: "verdict", verdict: "abort", reason }, []);
    if (written.type === "unknown") return { type: "abort", view: this.#view, error };
    const fate = written.type === "verdict" ? this.#fateOf(written.verdict) : null;
    return fate?.type === "commit" ? fate : { type: "abort", view: this.#view, error };
  }

  /** The verdict that counts: this one, or the one that was there. `refused`: there is none, because a vote has changed. */
  async #write(
    verdict: ClusterVerdict,
    votes: readonly { key: string; revision: number }[],
  ): Promise<{ type: "verdict"; verdict: ClusterVerdict } | { type: "refused" } | Extract<Fate, { type: "unknown" }>> {
    const { engine, keys, set, limits } = this.#asked;
    const key = keys.of({ type: "verdict", set });
    try {
      const { type, found, revision } = await engine.transact(
        {
          when: [{ key, revision: 0 }, ...votes],
          write: [{ type: "put", key, value: JSON.stringify(verdict) }],
          otherwiseRead: [key],
        },
        limits.write,
      );
      const [there] = found;
      this.#view.note(there ?? { key, value: type === "done" ? JSON.stringify(verdict) : null, revision });
      const known = this.#view.verdict;
      return known === null ? { type: "refused" } : { type: "verdict", verdict: known };
    } catch (error) {
      const doubt = new HoldstillError("E_CLUSTER_DOUBT", { set, key }, { cause: error });
      return { type: "unknown", view: this.#view, error: doubt };
    }
  }

  #fateOf({ verdict, reason }: ClusterVerdict): Fate {
    if (verdict === "commit") return { type: "commit", view: this.#view };
    const error = new HoldstillError("E_CLUSTER_ABORTED", { reason: reason?.message ?? "" });
    return { type: "abort", view: this.#view, error };
  }

  /** Waits for the hosts, and removes what no host needs any more. What is left is named by `recover` of the requester. */
  async #cleanUp(): Promise<void> {
    const { limits, engine, keys, set } = this.#asked;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limits.settle);
      this.#watch.doubt();
      this.#wake = (): void => {
        if (!isCleanable(this.#view)) return;
        clearTimeout(timer);
        resolve();
      };
      this.#wake();
    });
    if (isCleanable(this.#view)) await removeSetKeys(engine, keys, set, limits.write).catch(() => undefined);
  }
}

/** Whether every host has done what the verdict demands, or has never begun. */
export const isCleanable = (view: SetView): boolean =>
  view.verdict !== null &&
  view.hosts.every((host) => {
    const state = view.stateOf(host)?.state;
    return state === undefined ? view.verdict?.verdict === "abort" : state.step === "settled";
  });

/** Unless there is a verdict already. */
export async function abortSet(
  engine: ClusterEngine,
  keys: ClusterKeys,
  set: string,
  reason: Fault,
  limitMs: number,
): Promise<void> {
  const key = keys.of({ type: "verdict", set });
  const verdict: ClusterVerdict = { key: "verdict", verdict: "abort", reason };
  const write = [{ type: "put", key, value: JSON.stringify(verdict) } as const];
  await engine.transact({ when: [{ key, revision: 0 }], write, otherwiseRead: [] }, limitMs);
}

/** The keys of the requester. Each host removes its own when the plan is gone. */
export async function removeSetKeys(
  engine: ClusterEngine,
  keys: ClusterKeys,
  set: string,
  limitMs: number,
): Promise<void> {
  const all = (["plan", "requester", "verdict"] as const).map((type) => keys.of({ type, set }));
  const write = all.map((key) => ({ type: "delete", key }) as const);
  await engine.transact({ when: [], write, otherwiseRead: [] }, limitMs);
}
