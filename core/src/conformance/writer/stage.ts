import { compensate, compensationOf } from "../../host/isolation/host/compensation.js";
import type { ExecResult } from "../../os/exec/options.js";
import type { FreezeToken, Component, Cut } from "../../base/schema/types.js";
import type { WriterTransaction } from "../../host/contract/context.js";
import { newSetId } from "../../plan/set-id.js";
import type { Session } from "../../host/isolation/host/start-session.js";
import { CheckFailure, Skip } from "../check.js";
import type { PluginRig } from "../rig.js";

export type WriterStep = "prepare" | "freeze" | "thaw" | "seal";
export const writerSteps: readonly WriterStep[] = ["prepare", "freeze", "thaw", "seal"];

/** What an abort may take where something was wrong already, ms. */
const MEND_MS = 2000;

/** A transaction that is under way. */
export interface WriterAction {
  session: Session<"writer">;
  tx: WriterTransaction;
  /** null: no freeze has returned. */
  token: FreezeToken | null;
}

/** A writer and its application. */
export class WriterScenario {
  readonly rig: PluginRig;
  /** As the first identify returned them. */
  components: Component[] = [];
  /** Whether a freeze has left a compensation. */
  compensates = false;
  /** How long each step took, ms. */
  readonly took = new Map<string, number>();
  readonly #begun: WriterTransaction[] = [];
  /** A worker that is spared the checks: with it the next transaction is tried. */
  #witness: Session<"writer"> | null = null;

  constructor(rig: PluginRig) {
    this.rig = rig;
  }

  worker(): Promise<Session<"writer">> {
    return this.rig.start("writer");
  }

  /** The cut that demands the most of the writer. */
  get cut(): Cut {
    return this.components.some(({ tolerates }) => tolerates === "point-in-time") ? "atomic" : "fuzzy";
  }

  transaction(cut: Cut = this.cut): WriterTransaction {
    const id = newSetId();
    const tx = { id, cut, components: this.components, sidecarDir: this.rig.folder("sets", id) };
    this.#begun.push(tx);
    return tx;
  }

  /** A transaction in its own worker, up to the step. */
  async upTo(step: WriterStep | null, session?: Session<"writer">): Promise<WriterAction> {
    const act: WriterAction = { session: session ?? (await this.worker()), tx: this.transaction(), token: null };
    for (const next of step === null ? [] : writerSteps.slice(0, writerSteps.indexOf(step) + 1))
      await this.do(next, act);
    return act;
  }

  async do(step: WriterStep, act: WriterAction): Promise<void> {
    const { session, tx } = act;
    const begun = performance.now();
    switch (step) {
      case "prepare":
        if (session.offers("prepare"))
          await this.rig.call(session, "prepare", [{ ...tx, freezeLimitMs: this.#freezeLimit }]);
        break;
      case "freeze":
        act.token = await this.rig.call(session, "freeze", [{ ...tx, freezeDeadline: Date.now() + this.#freezeLimit }]);
        this.compensates ||= compensationOf(act.token) !== null;
        break;
      case "thaw": {
        const report = await this.rig.call(session, "thaw", [tx, act.token ?? {}]);
        if (!report.uninterrupted)
          throw new CheckFailure(`thaw reported that the freeze was interrupted: ${report.reason ?? "no reason"}.`);
        break;
      }
      case "seal":
        if (session.offers("seal")) await this.rig.call(session, "seal", [tx]);
    }
    this.took.set(step, performance.now() - begun);
  }

  /** As long as the calls of a freeze may take together, ms. */
  get #freezeLimit(): number {
    return this.rig.limit("freeze") + this.rig.limit("thaw");
  }

  async abort({ session, tx, token }: WriterAction): Promise<void> {
    await this.rig.call(session, "abort", [tx, token]);
  }

  /** The same act in the hands of a blank worker; the old one is ended, and the compensation runs, as the host does. */
  async inBlankWorker(act: WriterAction): Promise<WriterAction> {
    await act.session.close();
    await this.compensate(act);
    return { ...act, session: await this.worker() };
  }

  /** Runs what freeze left for a worker that is dead. */
  async compensate({ session, token }: WriterAction): Promise<ExecResult | null> {
    const compensation = compensationOf(token);
    if (compensation === null) return null;
    return compensate({ who: session.who, ...this.rig.allowed }, compensation, this.rig.options, this.rig.limit());
  }

  /** Throws a Failure unless the application goes on, and can be held again. */
  async assertFree(after: string): Promise<void> {
    const { probe } = this.rig.fixture;
    if (probe !== undefined) {
      const ran = await this.rig.probe(probe, "free");
      if (ran.is === "late")
        throw new CheckFailure(`After ${after}, the application is still frozen: the probe waits.`);
      if (ran.exitCode !== 0)
        throw new CheckFailure(
          `After ${after}, the application is still frozen: the probe exited with ${ran.exitCode}. ${ran.output}`,
        );
    }
    try {
      this.#witness ??= await this.rig.startKept("writer");
      await this.upTo("thaw", this.#witness);
    } catch (error) {
      throw new CheckFailure(
        `After ${after}, the next transaction fails: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** Whether a change of the application's data is held up. */
  async isHeld(expected: "held" | "free"): Promise<boolean> {
    const { probe } = this.rig.fixture;
    if (probe === undefined) throw new Skip("conformance.json has no `probe`");
    const ran = await this.rig.probe(probe, expected);
    return ran.is === "late" || ran.exitCode !== 0;
  }

  /** Undoes everything that the transactions so far did. */
  async cleanUp(): Promise<void> {
    await this.rig.closeAll();
    await this.#witness?.close();
    this.#witness = null;
    for (const tx of this.#begun.splice(0)) {
      const session = await this.worker().catch(() => null);
      await session?.call("abort", [tx, null], MEND_MS).catch(() => {});
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
