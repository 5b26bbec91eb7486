import { HoldstillError, toFault } from "../base/errors/error.js";
import type { ClusterMoment, ClusterPart, ClusterVerdict, Fault, HostStep } from "../base/schema/types.js";
import { monotonic } from "../os/clock.js";
import type { ClusterEngine, KeyWatch } from "./engine.js";
import type { ClusterKeys } from "./keys.js";
import { OwnKey } from "./own-key.js";
import { clusterRecord } from "./proof.js";
import type { OwnPart, Rendezvous, SetVerdict } from "./rendezvous.js";
import { SetView } from "./set-view.js";

/** After this time the others are also watched by way of other members of the engine, ms. */
const DOUBT_MS = 250;
/** For stating what nothing waits for, ms. */
const LAST_WORD_MS = 5000;

/** The place of one host in one set. */
export interface RendezvousPlace {
  readonly engine: ClusterEngine;
  readonly keys: ClusterKeys;
  readonly set: string;
  readonly hosts: readonly string[];
  readonly self: string;
  readonly bootId: string;
  /** Of the plan: everything about the set is later. */
  readonly from: number;
}

interface Wait {
  readonly isOver: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: HoldstillError) => void;
}

/** One host's side of a set, over any engine. */
export class HostRendezvous implements Rendezvous {
  readonly apart: Promise<HoldstillError>;
  readonly #place: RendezvousPlace;
  readonly #view: SetView;
  readonly #own: OwnKey;
  readonly #watch: KeyWatch;
  readonly #waits = new Set<Wait>();
  #tellApart: (error: HoldstillError) => void = () => undefined;
  #phase: "open" | "voted" | "over" = "open";
  #taken: ClusterMoment | null = null;
  #seen: ClusterMoment | null = null;
  #clusterId = "";

  constructor(place: RendezvousPlace) {
    const { engine, keys, set, hosts, self, from } = place;
    this.#place = place;
    this.#view = new SetView(set, hosts, keys);
    this.#own = new OwnKey(engine, keys, self, set);
    this.apart = new Promise((resolve) => {
      this.#tellApart = resolve;
    });
    this.#watch = engine.watch(keys.prefix, from, (change) => {
      if (this.#view.note(change)) this.#look();
    });
  }

  async reach(step: "armed" | "frozen" | "taken", limitMs: number): Promise<void> {
    const at = monotonic();
    if (this.#phase !== "open") throw this.#gaveUp();
    const isThere = (): boolean => this.#view.missing(step).length === 0;
    const all = this.#wait(isThere, limitMs, () => this.#late(step, limitMs));
    const seen = all.then(() => ({ at: monotonic(), revision: this.#view.revision }));
    const [stated, moment] = await Promise.all([this.#own.state({ step }, limitMs), seen]);
    if (stated.type === "decided") throw aborted(stated.verdict);
    if (stated.type !== "stated") throw this.#gaveUp();
    if (step !== "taken") return;
    this.#clusterId = stated.clusterId;
    this.#taken = { at, revision: stated.revision };
    this.#seen = moment;
  }

  async vote(own: OwnPart, limitMs: number): Promise<SetVerdict> {
    const { self: host, bootId } = this.#place;
    if (this.#phase !== "open" || this.#taken === null || this.#seen === null)
      return { type: "abort", error: this.#gaveUp() };
    this.#phase = "voted";
    const { consistency, hold } = own;
    const base = { host, bootId, clusterId: this.#clusterId, consistency, hold };
    const part: ClusterPart = { ...base, taken: this.#taken, seen: this.#seen };
    const isDecided = (): boolean => this.#view.verdict !== null;
    const decided = this.#wait(isDecided, limitMs, () => this.#late("sealed", limitMs));
    // It may fail while the vote is still being stated.
    decided.catch(() => undefined);
    try {
      const state: HostStep = { step: "sealed", part };
      const stated = await this.#own.state(state, limitMs);
      if (stated.type === "closed" || stated.type === "foreign") return { type: "abort", error: this.#gaveUp() };
      if (stated.type === "decided") this.#note(stated.verdict, stated.revision);
      await decided;
      return await this.#verdict();
    } catch (error) {
      return this.#isOver ? { type: "abort", error: this.#gaveUp() } : this.withdraw(toFault(error));
    }
  }

  async withdraw(cause: Fault): Promise<SetVerdict> {
    const hasVoted = this.#phase === "voted";
    if (!hasVoted) {
      this.#phase = "over";
      this.#fail(this.#gaveUp());
    }
    try {
      const stated = await this.#own.state({ step: "withdrawn", reason: withoutDetails(cause) }, LAST_WORD_MS);
      if (stated.type === "foreign") return hasVoted ? this.#unknown(null) : { type: "abort", error: this.#gaveUp() };
      if (stated.type !== "decided") return { type: "abort", error: this.#gaveUp() };
      this.#note(stated.verdict, stated.revision);
      return hasVoted ? await this.#verdict() : { type: "abort", error: aborted(stated.verdict) };
    } catch (error) {
      return hasVoted ? this.#unknown(error) : { type: "abort", error: this.#gaveUp() };
    }
  }

  get #isOver(): boolean {
    return this.#phase === "over";
  }

  #unknown(cause: unknown): SetVerdict {
    const { set, keys } = this.#place;
    const key = keys.of({ type: "verdict", set });
    return { type: "unknown", error: new HoldstillError("E_CLUSTER_DOUBT", { set, key }, { cause }) };
  }

  /** States what this host has done, and ends. Never rejects: nothing waits for it but the clean-up. */
  async settle(fate: "kept" | "undone", reason: Fault | null): Promise<void> {
    this.#phase = "over";
    const part = this.#view.voteOf(this.#place.self);
    const voted = fate === "kept" && part !== null ? { part } : {};
    const why = reason === null ? {} : { reason: withoutDetails(reason) };
    await this.#own.settle({ step: "settled", fate, ...voted, ...why }, LAST_WORD_MS).catch(() => undefined);
    this.close();
  }

  close(): void {
    this.#watch.close();
    this.#fail(this.#gaveUp());
  }

  /** The verdict as it is known, which this host has to follow. */
  async #verdict(): Promise<SetVerdict> {
    const { verdict, hosts } = this.#view;
    if (verdict === null || verdict.verdict === "abort") return { type: "abort", error: aborted(verdict ?? {}) };
    const { keys, set, self } = this.#place;
    // The verdict can be known from an answer before the watch has brought the votes of the others, which came before it.
    const isWhole = (): boolean => hosts.every((host) => this.#view.voteOf(host) !== null);
    await this.#wait(isWhole, LAST_WORD_MS, () => this.#gaveUp()).catch(() => undefined);
    return { type: "commit", cluster: clusterRecord(this.#view, keys, self, set) };
  }

  #note(verdict: ClusterVerdict, revision: number): void {
    const { keys, set } = this.#place;
    this.#view.note({ key: keys.of({ type: "verdict", set }), value: JSON.stringify(verdict), revision });
  }

  #wait(isOver: () => boolean, limitMs: number, late: () => HoldstillError): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const end = (act: () => void) => (): void => {
        clearTimeout(timer);
        clearTimeout(doubt);
        this.#waits.delete(wait);
        act();
      };
      const wait: Wait = { isOver, resolve: end(resolve), reject: (error) => end(() => reject(error))() };
      const timer = setTimeout(() => wait.reject(late()), limitMs);
      const doubt = setTimeout(() => this.#watch.doubt(), DOUBT_MS);
      this.#waits.add(wait);
      this.#look();
    });
  }

  #look(): void {
    if (this.#phase === "open") {
      const gone = this.#view.gone(this.#place.self);
      const { verdict } = this.#view;
      const error =
        verdict?.verdict === "abort"
          ? aborted(verdict)
          : gone === null
            ? null
            : new HoldstillError("E_CLUSTER_HOST", { host: gone.host, reason: gone.reason });
      if (error !== null) {
        this.#tellApart(error);
        this.#fail(error);
      }
    }
    for (const wait of this.#waits) if (wait.isOver()) wait.resolve();
  }

  #fail(error: HoldstillError): void {
    for (const wait of this.#waits) wait.reject(error);
  }

  #late(step: "armed" | "frozen" | "taken" | "sealed", limitMs: number): HoldstillError {
    const hosts = this.#view.missing(step).filter((host) => host !== this.#place.self);
    return new HoldstillError("E_CLUSTER_LATE", { step, hosts, limitMs });
  }

  #gaveUp(): HoldstillError {
    return new HoldstillError("E_CLUSTER_ABORTED", { reason: `${this.#place.self} has withdrawn` });
  }
}

const aborted = ({ reason }: Pick<ClusterVerdict, "reason">): HoldstillError =>
  new HoldstillError("E_CLUSTER_ABORTED", { reason: reason?.message ?? "the requester gave no reason" });

/** Details may be long, and may name what other hosts need not know. */
const withoutDetails = ({ code, message }: Fault): Fault => ({ code, message: message.slice(0, 500) });
