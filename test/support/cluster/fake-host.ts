import { setTimeout as sleep } from "node:timers/promises";
import { HoldstillError, toFault } from "#core/base/errors/error.js";
import type { CriticalSection, Fault, JournalEntry, SnapshotSet } from "#core/base/schema/types.js";
import type { LimitsMs } from "#core/base/config/settings.js";
import { fateOfVoted, settleLeft } from "#core/cluster/fate.js";
import { HostRendezvous } from "#core/cluster/host-rendezvous.js";
import type { ClusterKeys } from "#core/cluster/keys.js";
import { monotonic } from "#core/os/clock.js";
import { ClusterMeeting } from "#core/transaction/cluster-meeting.js";
import { advance, type Effect, initialState, isEnd, type TransactionEvent } from "#core/transaction/machine.js";
import { emptySet } from "../fixture/set-record.js";
import { answer, type Player } from "../fixture/machine-player.js";
import { MemoryEngine, type MemoryStore, type Travel } from "./memory-engine.js";

export const clusterSteps = ["armed", "frozen", "taken", "sealed"] as const;
export type FaultStep = (typeof clusterSteps)[number];

/** What a host does at a step, instead of what it should. */
export interface HostFault {
  readonly step: FaultStep;
  readonly kind: "dies" | "hangs" | "withdraws" | "answers late";
}

export interface FakeHostPlace {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly set: string;
  readonly from: number;
  readonly store: MemoryStore;
  readonly keys: ClusterKeys;
  readonly travel: Travel;
  readonly limits: LimitsMs;
  readonly fault: HostFault | null;
  /** How long a host hangs, or is late, ms. */
  readonly delayMs: number;
}

/** Shorter or longer than what a message takes, and than the whole vote. */
const aMoment = (): Promise<void> => sleep(Math.random() * ([0, 3, 12][Math.floor(Math.random() * 3)] ?? 0));

const section: CriticalSection = { hold: [{ kind: "fs", mount: "/srv" }], commit: [] };
const players: readonly Player[] = [
  { id: "db", role: "writer", policy: "required", level: 1, repairs: false, section: null },
  { id: "lvm", role: "provider", policy: "required", level: 0, repairs: false, section },
];

/** A host whose plugins and kernel always do what they should, with the real machine, meetings, and rendezvous. */
export class FakeHost {
  readonly name: string;
  fate: "open" | "kept" | "undone" | "unsettled" | "dead" = "open";
  record: SnapshotSet | null = null;
  /** CLOCK_MONOTONIC, ms: the same clock for all hosts of a test, which they do not know. */
  heldAt: number | null = null;
  releasedAt: number | null = null;
  isFrozen = false;
  readonly #place: FakeHostPlace;
  readonly #engine: MemoryEngine;
  readonly #rendezvous: HostRendezvous;
  readonly #meeting: ClusterMeeting;
  #state = initialState(players, "cluster");
  #holdTimer: NodeJS.Timeout | undefined;
  #lapse: Fault | null = null;
  #hasVoted = false;
  #hungUntil = 0;
  #end: () => void = () => undefined;

  constructor(place: FakeHostPlace) {
    this.#place = place;
    this.name = place.name;
    const { store, travel, keys, set, hosts, name, from, limits } = place;
    this.#engine = new MemoryEngine(store, {
      wait: async () => {
        await travel.wait();
        const left = this.#hungUntil - monotonic();
        if (left > 0) await sleep(left);
      },
    });
    this.#rendezvous = new HostRendezvous({ engine: this.#engine, keys, set, hosts, self: name, bootId: name, from });
    this.#meeting = new ClusterMeeting(
      {
        rendezvous: this.#rendezvous,
        journal: {
          write: (entry: JournalEntry) => {
            this.#hasVoted = entry.entry === "voted";
            return Promise.resolve();
          },
        },
        holder: {
          arm: () => Promise.resolve(),
          hold: () => Promise.resolve(),
          release: () => Promise.resolve(null),
          disarm: () => Promise.resolve(),
          record: () => ({
            heldMs: 0,
            targets: [{ target: { kind: "fs", mount: "/srv" }, from: this.heldAt ?? 0, to: this.releasedAt ?? 0 }],
          }),
        },
        limits,
      },
      {
        limitMs: (step) => (step === "armed" ? limits.prepare : step === "frozen" ? limits.freeze : 0.9 * limits.hold),
        record: () => emptySet(set),
        dispatch: (event) => this.#dispatch(event),
      },
    );
  }

  get isHeld(): boolean {
    return this.heldAt !== null && this.releasedAt === null;
  }

  /** Resolves when the host has ended, or died. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#end = resolve;
      void this.#rendezvous.apart.then((error) => this.#dispatch({ type: "interrupted", fault: toFault(error) }));
      this.#dispatch({ type: "start" });
    });
  }

  /** As `run`, and with what `recover` does if the process has died, while the others go on. */
  async runAndRecover(): Promise<void> {
    await this.run();
    await aMoment();
    await this.recover();
  }

  /** What `recover` does after the process died, or could not settle. */
  async recover(): Promise<void> {
    if (this.fate !== "dead" && this.fate !== "unsettled") return;
    const { store, keys, set, travel, name } = this.#place;
    const place = { engine: new MemoryEngine(store, travel), keys, set, self: name };
    this.isFrozen = false;
    const verdict = this.#hasVoted ? await fateOfVoted(place) : ({ type: "abort" } as const);
    if (verdict.type === "unknown") return;
    this.fate = verdict.type === "commit" ? "kept" : "undone";
    if (verdict.type === "commit") this.record = { ...emptySet(set), cluster: verdict.cluster };
    await settleLeft(place, this.fate);
  }

  close(): void {
    this.#rendezvous.close();
    this.#engine.close();
  }

  #dispatch(event: TransactionEvent): void {
    if (this.fate !== "open") return;
    const { state, effects } = advance(this.#state, event);
    this.#state = state;
    for (const effect of effects) void this.#perform(effect);
    if (!isEnd(state)) return;
    this.fate = state.type === "created" ? "kept" : state.type === "aborted" ? "undone" : "unsettled";
    const settled = this.fate === "unsettled" ? null : this.#rendezvous.settle(this.fate, null);
    if (settled === null) this.#end();
    else void settled.then(this.#end);
  }

  async #perform(effect: Effect): Promise<void> {
    switch (effect.type) {
      case "call": {
        const player = players.find(({ id }) => id === effect.actor);
        if (effect.op === "freeze") this.isFrozen = true;
        if (effect.op === "thaw" || effect.op === "abort") this.isFrozen = false;
        await sleep(0);
        if (player !== undefined) this.#dispatch(answer(player, effect.op));
        return;
      }
      case "cancel":
        return;
      case "arm":
        await sleep(0);
        this.#dispatch({ type: "armed" });
        return;
      case "hold":
        await sleep(0);
        this.heldAt = monotonic();
        this.#holdTimer = setTimeout(() => this.#release("deadline"), this.#place.limits.hold);
        this.#dispatch({ type: "held" });
        return;
      case "release":
        this.#meeting.releasing();
        await sleep(0);
        this.#release(null);
        this.#dispatch({ type: "released", fault: this.#lapse });
        return;
      case "record":
        this.record = this.#meeting.decided;
        await sleep(0);
        this.#dispatch({ type: "recorded" });
        return;
      case "meet":
        await this.#meet(effect.step, effect);
        return;
      case "vote":
        await this.#meet("sealed", effect);
        return;
      case "withdraw":
        await this.#meeting.perform(effect);
    }
  }

  async #meet(step: FaultStep, effect: Extract<Effect, { type: "meet" | "vote" }>): Promise<void> {
    const { fault, delayMs } = this.#place;
    const kind = fault?.step === step ? fault.kind : null;
    if (kind === "answers late") await sleep(delayMs);
    if (this.fate !== "open") return;
    const met = this.#meeting.perform(effect);
    switch (kind) {
      case "dies":
        // What it has sent by now may arrive.
        await aMoment();
        this.#die();
        return;
      case "hangs":
        this.#hungUntil = monotonic() + delayMs;
        break;
      case "withdraws": {
        const interrupted = toFault(new HoldstillError("E_INTERRUPTED", { signal: "SIGINT" }));
        await aMoment();
        this.#dispatch({ type: "interrupted", fault: interrupted });
        break;
      }
      case "answers late":
      case null:
        break;
    }
    await met;
  }

  /** The keeper releases at once, and `recover` thaws. */
  #die(): void {
    if (this.fate !== "open") return;
    this.fate = "dead";
    this.#engine.isDead = true;
    this.#release("eof");
    this.#end();
  }

  #release(lapse: "deadline" | "eof" | null): void {
    clearTimeout(this.#holdTimer);
    if (this.heldAt === null || this.releasedAt !== null) return;
    this.releasedAt = monotonic();
    if (lapse !== null)
      this.#lapse = toFault(new HoldstillError("E_HOLD_LAPSED", { targets: ["/srv"], reason: lapse }));
  }
}
