/** What is known of one set over several hosts, from the changes of its keys. Pure: no engine, no clock. */
import type { ClusterPart, ClusterVerdict, HostStep, RequesterState } from "../base/schema/types.js";
import { validate } from "../base/schema/validate.js";
import type { Change } from "./engine.js";
import type { ClusterKeys } from "./keys.js";

/** The steps that a host comes to, in this order. */
const steps = ["armed", "frozen", "taken", "sealed"] as const;
export type ReachedStep = (typeof steps)[number];

export interface SeenState {
  readonly state: HostStep;
  readonly writer: string;
  readonly revision: number;
}

export class SetView {
  readonly hosts: readonly string[];
  readonly #set: string;
  readonly #keys: ClusterKeys;
  readonly #states = new Map<string, SeenState>();
  readonly #votes = new Map<string, ClusterPart>();
  #requester: RequesterState["step"] | null = null;
  #verdict: (ClusterVerdict & { revision: number }) | null = null;
  #isPlanned = true;

  constructor(set: string, hosts: readonly string[], keys: ClusterKeys) {
    this.#set = set;
    this.hosts = hosts;
    this.#keys = keys;
  }

  /** @returns Whether it is about this set, and new. A value that is not of this protocol counts for nothing. */
  note({ key: text, value, revision }: Change): boolean {
    const key = this.#keys.parse(text);
    if (key === null || key.type === "presence" || key.set !== this.#set) return false;
    if (value === null) {
      if (key.type === "plan") this.#isPlanned = false;
      return key.type === "plan";
    }
    const read = valueOf(value);
    if (read === null || read.key !== key.type) return false;
    switch (read.key) {
      case "host": {
        const host = key.type === "host" ? key.host : "";
        if (!this.hosts.includes(host) || (this.#states.get(host)?.revision ?? 0) >= revision) return false;
        if ("part" in read.state && read.state.part !== undefined) this.#votes.set(host, read.state.part);
        this.#states.set(host, { state: read.state, writer: read.writer, revision });
        return true;
      }
      case "requester":
        if (this.#requester !== "frozen") this.#requester = read.step;
        return true;
      case "verdict":
        this.#verdict ??= { ...read, revision };
        return true;
      default:
        return false;
    }
  }

  stateOf(host: string): SeenState | null {
    return this.#states.get(host) ?? null;
  }

  /** What the host stated when it voted, also if it has settled since. */
  voteOf(host: string): ClusterPart | null {
    return this.#votes.get(host) ?? null;
  }

  get verdict(): (ClusterVerdict & { revision: number }) | null {
    return this.#verdict;
  }

  /** The requester has not removed its plan. */
  get isPlanned(): boolean {
    return this.#isPlanned;
  }

  /** The hosts that have not come to the step, and the requester, if it has to. */
  missing(step: ReachedStep): string[] {
    const late = this.hosts.filter((host) => rankOf(this.#states.get(host)?.state) < steps.indexOf(step));
    const waits = step === "armed" || step === "frozen";
    const isHere = !waits || this.#requester === "frozen" || this.#requester === step;
    return isHere ? late : [...late, "the requester"];
  }

  /** Only the hosts. */
  haveAllReached(step: ReachedStep): boolean {
    return this.hosts.every((host) => rankOf(this.#states.get(host)?.state) >= steps.indexOf(step));
  }

  /** The highest revision of what the hosts have stated. */
  get revision(): number {
    return Math.max(0, ...[...this.#states.values()].map(({ revision }) => revision));
  }

  /** The first host that will never keep the set, apart from this one. */
  gone(self: string | null = null): { host: string; reason: string } | null {
    for (const [host, { state }] of this.#states) {
      if (host === self) continue;
      if (state.step === "withdrawn") return { host, reason: state.reason.message };
      if (state.step === "settled" && state.fate === "undone")
        return { host, reason: state.reason?.message ?? "it has undone the set" };
    }
    return null;
  }

  get areAllSettled(): boolean {
    return this.hosts.every((host) => this.#states.get(host)?.state.step === "settled");
  }
}

/** What a key's value says; null: it is not of this protocol. */
export function valueOf(text: string): ReturnType<typeof parsed> {
  try {
    return parsed(JSON.parse(text));
  } catch {
    return null;
  }
}

function parsed(value: unknown) {
  const checked = validate("cluster", value, "the engine");
  return checked.ok ? checked.value : null;
}

/** A host that will never keep the set is nowhere. One that has kept it was at all steps. */
function rankOf(state: HostStep | undefined): number {
  if (state === undefined || state.step === "withdrawn") return -1;
  if (state.step === "settled") return state.fate === "kept" ? steps.length : -1;
  return steps.indexOf(state.step);
}
