/** The key of one host for one set. Only this host writes it, and each value replaces exactly the one before it. */
import { randomUUID } from "node:crypto";
import { HoldstillError } from "../base/errors/error.js";
import type { ClusterVerdict, HostState, HostStep } from "../base/schema/types.js";
import { monotonic } from "../os/clock.js";
import type { ClusterEngine, Condition } from "./engine.js";
import type { ClusterKeys } from "./keys.js";
import { type SeenState, valueOf } from "./set-view.js";

export type Stated =
  | { type: "stated"; revision: number; clusterId: string }
  /** Not written: the fate of the set is known already. */
  | { type: "decided"; verdict: ClusterVerdict; revision: number; clusterId: string }
  /** Not written: this host has withdrawn, or has settled, meanwhile. */
  | { type: "closed" }
  /** Not written: the value that is there is not this process's. */
  | { type: "foreign" };

export type OwnValue = Pick<SeenState, "writer" | "revision">;

/**
 * A value is sent until its deadline, also when an earlier one was given up without an answer. So that neither of them arrives late and
 * undoes a later one, each is conditional on the revision that it replaces. A value that is there already has been answered by that.
 */
export class OwnKey {
  readonly key: string;
  readonly #engine: ClusterEngine;
  readonly #verdictKey: string;
  readonly #writer: string;
  #revision: number;
  #last: HostStep | null = null;

  /** @param left The value of a process of this host that has died. null: the first value must not replace any. */
  constructor(engine: ClusterEngine, keys: ClusterKeys, host: string, set: string, left: OwnValue | null = null) {
    this.#engine = engine;
    this.key = keys.of({ type: "host", host, set });
    this.#verdictKey = keys.of({ type: "verdict", set });
    this.#writer = left?.writer ?? randomUUID();
    this.#revision = left?.revision ?? 0;
  }

  /** While there is no verdict. @throws HoldstillError E_CLUSTER_UNREACHABLE: it may be stated yet; E_CLUSTER_DENIED */
  state(state: HostStep, limitMs: number): Promise<Stated> {
    return this.#write(state, [{ key: this.#verdictKey, revision: 0 }], limitMs);
  }

  /** What the host has done with the verdict. @throws HoldstillError E_CLUSTER_UNREACHABLE, E_CLUSTER_DENIED */
  settle(state: Extract<HostStep, { step: "settled" }>, limitMs: number): Promise<Stated> {
    return this.#write(state, [], limitMs);
  }

  async #write(state: HostStep, conditions: readonly Condition[], limitMs: number): Promise<Stated> {
    const value: HostState = { key: "host", writer: this.#writer, state };
    const text = JSON.stringify(value);
    const until = monotonic() + limitMs;
    for (;;) {
      if (this.#last !== null && isFinal(this.#last, state)) return { type: "closed" };
      const replaced = this.#revision;
      const { type, revision, clusterId, found } = await this.#engine.transact(
        {
          when: [...conditions, { key: this.key, revision: replaced }],
          write: [{ type: "put", key: this.key, value: text }],
          otherwiseRead: [this.#verdictKey, this.key],
        },
        Math.max(1, until - monotonic()),
      );
      if (type === "done") {
        this.#note(state, revision);
        return { type: "stated", revision, clusterId };
      }
      const own = found.find(({ key }) => key === this.key);
      if (own?.value === text) {
        this.#note(state, own.revision);
        return { type: "stated", revision: own.revision, clusterId };
      }
      const verdict = found.find(({ key }) => key === this.#verdictKey);
      const decided = verdict === undefined ? null : valueOf(verdict.value);
      if (conditions.length > 0 && verdict !== undefined && decided?.key === "verdict")
        return { type: "decided", verdict: decided, revision: verdict.revision, clusterId };
      const before = own === undefined ? null : valueOf(own.value);
      if (own === undefined || before?.key !== "host" || before.writer !== this.#writer) return { type: "foreign" };
      if (isFinal(before.state, state)) return { type: "closed" };
      // An earlier value of this process, which had been given up, did arrive.
      this.#revision = own.revision;
      if (monotonic() > until)
        throw new HoldstillError("E_CLUSTER_UNREACHABLE", { endpoints: [], reason: "it did not answer in time" });
    }
  }

  #note(state: HostStep, revision: number): void {
    if (revision < this.#revision) return;
    this.#revision = revision;
    this.#last = state;
  }
}

/** Whether the first does not allow the second any more. */
const isFinal = (before: HostStep, next: HostStep): boolean =>
  before.step === "settled" || (before.step === "withdrawn" && next.step !== "settled");
