import path from "node:path";
import { isHoldstillError, toFault } from "../../base/errors/error.js";
import type { RestorePlan, RestoreStep, SnapshotSet } from "../../base/schema/types.js";
import { readAccounts } from "../../base/trust/accounts.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { copyTree } from "../../os/exec/tree-copy.js";
import { isWithin } from "../../os/mounts.js";
import { openExposed } from "../../os/path/exposed-tree.js";
import type { PathHandle } from "../../os/path/handle.js";
import { removeTree } from "../../os/path/remove-tree.js";
import { walk } from "../../os/path/walk.js";
import { announced, PendingCopy } from "../../store/restore-draft.js";
import { swapIntoPlace } from "../../store/swap-into-place.js";
import { undoAll } from "../../transaction/undo-all.js";
import { exposedTreeOf, exposedTrees } from "../sets/exposed-trees.js";
import { recordFolder } from "../sets/mount-at.js";
import { exposeSet, unexposeSet } from "../sets/sets.js";
import type { EngineContext } from "../types.js";
import { lookAt, restoreRefusal, refuseMountsBelow } from "./restore-place.js";
import type { RestoredFlags } from "./restored-flags.js";
import { clearRestore } from "./unfinished-restore.js";

/** The copies of one restore, from the first to the place that each of them takes. The set's record names them before they are made. */
export class RestoreCopies {
  readonly #context: EngineContext;
  readonly #workers: PluginWorkers;
  readonly #plan: RestorePlan;
  readonly #drafts: PendingCopy[] = [];
  #set: SnapshotSet;

  private constructor(context: EngineContext, workers: PluginWorkers, plan: RestorePlan, set: SnapshotSet) {
    this.#context = context;
    this.#workers = workers;
    this.#plan = plan;
    this.#set = set;
  }

  /** Removes what an earlier restore of the set has left, if its process died. */
  static async begin(context: EngineContext, workers: PluginWorkers, plan: RestorePlan): Promise<RestoreCopies> {
    const before = await clearRestore(context, workers, plan.set);
    const copies = new RestoreCopies(context, workers, plan, before);
    const exposure = (before.exposed ?? []).length > 0 ? "kept" : "temporary";
    await copies.#record({ exposure, drafts: copies.#steps().map(announced) });
    return copies;
  }

  /**
   * @param flags Takes those of the copies.
   * @throws HoldstillError E_RESTORE, E_PATH_UNSAFE, E_PATH_FAILED, and the reason of the signal: nothing has taken its place.
   */
  async make(flags: RestoredFlags, signal: AbortSignal): Promise<void> {
    this.#set = await exposeSet(this.#context, this.#workers, this.#set);
    const trees = exposedTrees(this.#set, this.#plan.contents);
    for (const step of this.#plan.steps) {
      const tree = exposedTreeOf(step.original, trees);
      if (tree === null) return restoreRefusal(step.to)("its snapshot is not in the set", "See `holdstill show`.");
      using source = openExposed(tree);
      await this.#copy(step, source, flags, signal);
    }
    const record = this.#recordStep();
    if (record === null) return;
    // Backup label, WAL, and the like, so that what was restored elsewhere can be completed there.
    using source = walk(this.#context.store.catalog.folder(this.#set.id), { accounts: await readAccounts() });
    await this.#copy(record, source, flags, signal, this.#drafts[0]?.owner);
  }

  /** Puts all copies in their places. @throws HoldstillError E_RESTORE after everything was put back, as far as possible. */
  async swap(): Promise<void> {
    await this.#note();
    for (const { step, parent } of this.#drafts) refuseMountsBelow(step.to, parent);
    await swapIntoPlace(this.#drafts, this.#context.store.gate);
  }

  /** Removes what has not taken its place, and unexposes the set unless it was exposed before. @throws the first error, after the last step */
  async end(): Promise<void> {
    const { gate, catalog } = this.#context.store;
    await gate.pass();
    let now = catalog.find(this.#set.id);
    const undo = [
      ...this.#drafts.map((draft) => () => draft.discard()),
      async () => {
        if (now.restoring?.exposure === "temporary") now = await unexposeSet(this.#context, this.#workers, now);
      },
    ];
    try {
      await undoAll(undo, (step) => step());
      const { restoring: _, ...rest } = now;
      await catalog.write(rest);
    } finally {
      for (const draft of this.#drafts) draft[Symbol.dispose]();
    }
  }

  async #copy(
    step: RestoreStep,
    source: PathHandle,
    flags: RestoredFlags,
    signal: AbortSignal,
    owner?: number,
  ): Promise<void> {
    const around = this.#drafts.find((draft) => isWithin(step.draft, draft.step.draft));
    try {
      if (around !== undefined) return await copyInside(around, step, source, flags, signal);
      const trust = { owner: owner ?? source.status().uid, accounts: await readAccounts() };
      const draft = await this.#context.store.gate.write(() => PendingCopy.make(step, trust));
      this.#drafts.push(draft);
      await this.#note();
      const copied = await copyTree(source, draft.folder, draft.name, signal);
      flags.add(step.to, draft.folder.entry(draft.name, { owners: "any" }), copied);
    } catch (error) {
      if (isHoldstillError(error) || signal.aborted) throw error;
      restoreRefusal(step.to)(toFault(error).message, "Nothing was changed.");
    }
  }

  /** The steps that have a place of their own. */
  #steps(): RestoreStep[] {
    const { steps } = this.#plan;
    const own = steps.filter((step) => !steps.some((other) => other !== step && isWithin(step.draft, other.draft)));
    const record = this.#recordStep();
    return record === null ? own : [...own, record];
  }

  /** The set's record, beside what is restored elsewhere. */
  #recordStep(): RestoreStep | null {
    const { where, steps, set } = this.#plan;
    const [first] = steps;
    if (where === "in-place" || first === undefined) return null;
    const folder = first.to.slice(0, -first.original.length) || "/";
    const to = path.join(folder, recordFolder);
    const asideName = `${recordFolder}.before-${set.id}`;
    const aside = lookAt(to, asideName) === "taken" ? path.join(folder, asideName) : null;
    return {
      component: recordFolder,
      original: to,
      to,
      draft: path.join(folder, `.restoring-${set.id}-record`, "copy"),
      aside,
    };
  }

  /** Writes down what exists by now, and what is to come. */
  async #note(): Promise<void> {
    const { restoring } = this.#set;
    if (restoring === undefined) return;
    const made = new Set(this.#drafts.map(({ step }) => step.draft));
    const toCome = this.#steps().filter(({ draft }) => !made.has(draft));
    await this.#record({
      ...restoring,
      drafts: [...this.#drafts.flatMap((draft) => draft.recorded()), ...toCome.map(announced)],
    });
  }

  async #record(restoring: NonNullable<SnapshotSet["restoring"]>): Promise<void> {
    this.#set = { ...this.#set, restoring };
    await this.#context.store.catalog.write(this.#set);
  }
}

/** Into the copy of the path around it, in the place of the mount point that was captured there: what it had was not to be seen either. */
async function copyInside(
  { folder, name, step: { draft: outer } }: PendingCopy,
  { draft, to }: RestoreStep,
  source: PathHandle,
  flags: RestoredFlags,
  signal: AbortSignal,
): Promise<void> {
  const inner = path.relative(outer, draft);
  using above = folder.open(path.join(name, path.dirname(inner)), { owners: "any" });
  await removeTree(above, path.basename(inner), { expected: above.find(path.basename(inner)) ?? { identity: "" } });
  const copied = await copyTree(source, above, path.basename(inner), signal);
  flags.add(to, above.entry(path.basename(inner), { owners: "any" }), copied);
}
