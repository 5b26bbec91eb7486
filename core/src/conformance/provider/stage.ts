import { existsSync, readdirSync, realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Keeper, lapseError } from "../../keeper/client/client.js";
import { isForHost, isForKernel } from "../../base/schema/commit-ops.js";
import type { Session } from "../../host/isolation/host/start-session.js";
import type { Transaction } from "../../host/contract/context.js";
import type { View } from "../../host/contract/provider.js";
import type { CommitOp, CriticalSection, Cut, Exposed, Qualities, Snapshot, Volume } from "../../base/schema/types.js";
import { readMounts } from "../../os/mounts.js";
import { locate } from "../../plan/locate.js";
import { cutOf } from "../../plan/negotiate.js";
import type { PlannedVolume } from "../../plan/plan.js";
import { newSetId } from "../../plan/set-id.js";
import { awaitReady, isCreating } from "../../transaction/await-ready.js";
import { checkPrepareAnswer } from "../../transaction/check-prepare-answer.js";
import { checkSealAnswer } from "../../transaction/check-seal-answer.js";
import { CheckFailure } from "../check.js";
import type { PluginRig } from "../rig.js";
import { waiting } from "../rig-hooks.js";
import { treeDifferences, furnish, portrait, unfurnish } from "../tree.js";

export type ProviderStep = "prepare" | "commit" | "seal";
export const providerSteps: readonly ProviderStep[] = ["prepare", "commit", "seal"];

/** What an abort may take where something was wrong already, ms. */
const MEND_MS = 5000;
/** How long a storage that works in the background may take, if conformance.json does not have a limit. */
const READY_SECONDS = 60;

/** A transaction that is under way. */
export interface ProviderAction {
  session: Session<"provider">;
  tx: Transaction;
  section: CriticalSection;
  snapshots: Snapshot[];
}

type Portraits = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** A provider and the folders that it captures. */
export class ProviderScenario {
  readonly rig: PluginRig;
  volumes: Volume[] = [];
  /** What match promised, in the order of the volumes. */
  qualities: Qualities[] = [];
  /** Snapshots that were there before. */
  before: string[] = [];
  /** How long each step took, ms. */
  readonly took = new Map<string, number>();
  readonly #begun: Transaction[] = [];

  constructor(rig: PluginRig) {
    this.rig = rig;
  }

  worker(): Promise<Session<"provider">> {
    return this.rig.start("provider");
  }

  /** The targets as they are captured; each is furnished anew. */
  lookAtTargets(): void {
    const targets = (this.rig.fixture.targets ?? []).map((target) => realpathSync(target));
    for (const target of targets) furnish(target);
    this.volumes = locate([{ paths: targets, exclude: [] }]).volumes;
  }

  /** After the fixture was set up anew, as far as it could be. */
  refurnish(): void {
    for (const path of this.paths.filter((one) => existsSync(one))) furnish(path);
  }

  leaveTargets(): void {
    for (const path of this.paths) unfurnish(path);
  }

  get paths(): string[] {
    return this.volumes.flatMap(({ paths }) => paths);
  }

  /** Whether match promised a writable snapshot of every volume. */
  get isWritable(): boolean {
    return this.qualities.every(({ writable }) => writable === true);
  }

  get cut(): Cut {
    return cutOf(this.#planned(this.rig.who.instance));
  }

  async upTo(step: ProviderStep | null, session?: Session<"provider">): Promise<ProviderAction> {
    const tx = { id: newSetId(), cut: this.cut };
    this.#begun.push(tx);
    const act: ProviderAction = {
      session: session ?? (await this.worker()),
      tx,
      section: { hold: [], commit: [] },
      snapshots: [],
    };
    for (const next of step === null ? [] : providerSteps.slice(0, providerSteps.indexOf(step) + 1))
      await this.do(next, act);
    return act;
  }

  async do(step: ProviderStep, act: ProviderAction): Promise<void> {
    const { session, tx } = act;
    const begun = performance.now();
    switch (step) {
      case "prepare":
        act.section = await this.rig.call(session, "prepare", [tx, this.volumes]);
        checkPrepareAnswer(session.who, act.section, this.#planned(session.who.instance));
        break;
      case "commit":
        await this.#commit(act);
        break;
      case "seal":
        act.snapshots = await this.#ready(session, await this.rig.call(session, "seal", [tx]));
        checkSealAnswer(session.who, act.snapshots, tx.id, this.volumes);
    }
    this.took.set(step, performance.now() - begun);
  }

  /** A storage that works in the background gets time to finish. */
  async #ready(session: Session<"provider">, sealed: readonly Snapshot[]): Promise<Snapshot[]> {
    const { rig } = this;
    const creating = sealed.filter(isCreating).map(({ id }) => id);
    if (creating.length === 0) return [...sealed];
    const { readySeconds: seconds = READY_SECONDS } = rig.fixture;
    const limits = { readyMs: seconds * 1000, lookMs: rig.limit() };
    const snapshots = await waiting(
      rig.hooks,
      `waiting up to ${seconds} s for the storage, which is creating ${creating.join(", ")}`,
      () => awaitReady(session, sealed, limits, rig.signal),
    );
    const unfinished = snapshots.find(isCreating);
    if (unfinished === undefined) return snapshots;
    throw new CheckFailure(
      `list returns ${unfinished.id} as \`creating\` for ${seconds} s.`,
      "Let list return it without a state, or as `ready`, once it can be exposed. If the storage takes longer, set `readySeconds` in conformance.json.",
    );
  }

  #planned(provider: string): PlannedVolume[] {
    return this.volumes.flatMap((volume, at) => {
      const qualities = this.qualities[at];
      return qualities === undefined ? [] : [{ volume, provider, qualities }];
    });
  }

  /** As the host does: the kernel holds what is to be held, the keeper does the steps that are data, the plugin the others. */
  async #commit({ session, tx, section: { hold, commit } }: ProviderAction): Promise<void> {
    if (hold.length === 0 && this.rig.stretchMs > 0) return this.#commitSlowly(session, tx, commit);
    const needsKeeper = hold.length > 0 || isForKernel(commit);
    const plan = { targets: hold, ops: commit, limitMs: this.rig.limit(), includeRoot: false, volumes: this.volumes };
    const keeper = needsKeeper ? await Keeper.arm(plan) : null;
    try {
      await keeper?.hold();
      if (isForHost(commit)) await this.rig.call(session, "commit", [tx]);
      const lapse = keeper === null ? null : lapseError(await keeper.release());
      if (lapse !== null) throw lapse;
    } finally {
      await keeper?.disarm();
    }
  }

  /** Nothing is held, so that it does not matter for a snapshot of one instant how long the steps take. */
  async #commitSlowly(session: Session<"provider">, tx: Transaction, commit: readonly CommitOp[]): Promise<void> {
    for (const ops of commit.flatMap((op) => (op.op === "parallel" ? op.chains : [[op]]))) {
      if (isForKernel(ops)) await this.#commitOps(ops);
      await sleep(this.rig.stretchMs);
    }
    if (isForHost(commit)) await this.rig.call(session, "commit", [tx]);
  }

  async #commitOps(ops: readonly CommitOp[]): Promise<void> {
    const plan = { targets: [], ops, limitMs: this.rig.limit(), includeRoot: false, volumes: this.volumes };
    const keeper = await Keeper.arm(plan);
    try {
      await keeper.hold();
      await keeper.release();
    } finally {
      await keeper.disarm();
    }
  }

  async abort({ session, tx }: ProviderAction): Promise<void> {
    await this.rig.call(session, "abort", [tx]);
  }

  /** The same act in the hands of a blank worker; the old one is ended, as the host does. */
  async inBlankWorker(act: ProviderAction): Promise<ProviderAction> {
    await act.session.close();
    return { ...act, session: await this.worker() };
  }

  async remove({ session, snapshots }: ProviderAction): Promise<void> {
    for (const snapshot of snapshots) await this.rig.call(session, "remove", [snapshot]);
  }

  async expose(
    session: Session<"provider">,
    snapshot: Snapshot,
    access: View["access"] = "read-only",
  ): Promise<Exposed> {
    return this.rig.call(session, "expose", [snapshot, { access, at: this.#at(snapshot) }]);
  }

  /** Throws a Failure where unexpose left the folder that expose was given in use. */
  async unexpose(session: Session<"provider">, snapshot: Snapshot): Promise<void> {
    await this.rig.call(session, "unexpose", [snapshot]);
    const at = this.#at(snapshot);
    const mounted = readMounts().some(({ mountPoint }) => mountPoint === at);
    if (mounted || readdirSync(at).length > 0) throw new CheckFailure(`After unexpose, ${at} is not empty.`);
  }

  #at({ id }: Snapshot): string {
    return this.rig.folder("shown", id.replaceAll("/", "_"));
  }

  /** The targets as they are now. */
  async portraits(): Promise<Portraits> {
    return new Map(await Promise.all(this.paths.map(async (path) => [path, await portrait(path)] as const)));
  }

  /** Throws a Failure unless the snapshots of the act show what the targets were. */
  async assertContents({ session, snapshots }: ProviderAction, expected: Portraits): Promise<void> {
    for (const snapshot of snapshots) {
      const { trees } = await this.expose(session, snapshot);
      const { paths = [] } = this.volumes.find(({ id }) => id === snapshot.volumeId) ?? {};
      for (const path of paths) {
        const tree = trees.find(({ original }) => original === path);
        if (tree === undefined) throw new CheckFailure(`expose of ${snapshot.id} does not show ${path}.`);
        const found = treeDifferences(expected.get(path) ?? new Map(), await portrait(tree.path));
        if (found.length > 0) throw new CheckFailure(`In the snapshot of ${path}: ${found.slice(0, 3).join("; ")}.`);
      }
      await this.unexpose(session, snapshot);
    }
  }

  /** All that list returns. Throws a Failure if that is a partial list, although all of the storage is there. */
  async list(session: Session<"provider">): Promise<Snapshot[]> {
    const listed = await this.rig.call(session, "list", []);
    if (Array.isArray(listed)) return listed;
    throw new CheckFailure(`list could not see all of the storage, which is there: ${listed.unseen.join(" ")}`);
  }

  /** Ids of the snapshots that are there now and were not at the beginning. */
  async listed(session: Session<"provider">): Promise<string[]> {
    const all = await this.list(session);
    return all.map(({ id }) => id).filter((id) => !this.before.includes(id));
  }

  async assertNothingListed(session: Session<"provider">, after: string): Promise<void> {
    const left = await this.listed(session);
    if (left.length > 0) throw new CheckFailure(`After ${after}, list still has ${left.join(", ")}.`);
  }

  /** Undoes everything that the transactions so far did. */
  async cleanUp(): Promise<void> {
    await this.rig.closeAll();
    for (const tx of this.#begun.splice(0)) {
      const session = await this.worker().catch(() => null);
      await session?.call("abort", [tx], MEND_MS).catch(() => {});
      await session?.close();
    }
  }

  /** Whether there is something to clean up or to forget. */
  get hasBegun(): boolean {
    return this.#begun.length > 0;
  }

  /** Nothing of the transactions so far has to be undone any more. */
  forget(): void {
    this.#begun.length = 0;
  }
}
