import { isForKernel } from "../base/schema/commit-ops.js";
import type { CommitOp, CriticalSection, Fault, FreezeToken, HoldTarget } from "../base/schema/types.js";

export interface Actor {
  readonly id: string;
  readonly role: "writer" | "provider";
  readonly policy: "required" | "best-effort";
  /** Freezing order: 0 front-end, 1 back-end, 2 system; 0 for providers. */
  readonly level: 0 | 1 | 2;
  /** Whether it has snapshots to repair. */
  readonly repairs: boolean;
}

export type TransactionOp = "prepare" | "freeze" | "commit" | "thaw" | "seal" | "repair" | "abort";

/** Where one actor stands. `fault` says why it takes no further part. */
export type ParticipantState =
  | { at: "idle" }
  | { at: "busy"; op: TransactionOp; token: FreezeToken | null; fault: Fault | null }
  | { at: "ready"; after: Exclude<TransactionOp, "freeze" | "abort"> }
  | { at: "frozen"; token: FreezeToken }
  | { at: "failed"; op: TransactionOp; token: FreezeToken | null; fault: Fault }
  | { at: "undone"; fault: Fault | null }
  | { at: "residue"; fault: Fault };

export interface Participant {
  readonly actor: Actor;
  readonly state: ParticipantState;
  readonly section: CriticalSection | null;
}
export type Participants = readonly Participant[];

export type TransactionState =
  | { at: "planned"; cast: Participants }
  | { at: "preparing"; cast: Participants }
  | { at: "arming"; cast: Participants }
  | { at: "freezing"; cast: Participants; level: number }
  | { at: "holding"; cast: Participants }
  | { at: "committing"; cast: Participants; held: boolean }
  | { at: "releasing"; cast: Participants }
  | { at: "thawing"; cast: Participants; level: number }
  | { at: "sealing"; cast: Participants }
  | { at: "repairing"; cast: Participants }
  | { at: "recording"; cast: Participants }
  | { at: "undoing"; cast: Participants; stage: "release" | "thaw" | "abort"; cause: Fault }
  | { at: "created"; cast: Participants }
  | { at: "aborted"; cast: Participants; cause: Fault };

export type TransactionEvent =
  | { is: "start" }
  | { is: "prepared"; actor: string; section: CriticalSection | null }
  | { is: "frozen"; actor: string; token: FreezeToken }
  | { is: "committed"; actor: string }
  | { is: "thawed"; actor: string }
  | { is: "sealed"; actor: string }
  | { is: "repaired"; actor: string }
  | { is: "undone"; actor: string }
  | { is: "failed"; actor: string; fault: Fault }
  | { is: "armed" }
  | { is: "held" }
  | { is: "released"; fault: Fault | null }
  | { is: "hold-failed"; fault: Fault }
  | { is: "recorded" }
  | { is: "record-failed"; fault: Fault }
  | { is: "interrupted"; fault: Fault };

/** What the keeper is given: the critical sections of all providers in one. What the kernel does for one does not wait for what it does for another. */
export interface KeeperSection {
  readonly targets: readonly HoldTarget[];
  readonly ops: readonly CommitOp[];
}

export type Effect =
  | { do: "call"; actor: string; op: TransactionOp; token: FreezeToken | null }
  | { do: "cancel"; actor: string }
  | { do: "arm"; section: KeeperSection }
  | { do: "hold" }
  | { do: "release" }
  | { do: "record" };

export interface Transition {
  state: TransactionState;
  effects: Effect[];
}

export const initialState = (actors: readonly Actor[]): TransactionState => ({
  at: "planned",
  cast: actors.map((actor) => ({ actor, state: { at: "idle" }, section: null })),
});

export const isEnd = (state: TransactionState): state is Extract<TransactionState, { at: "created" | "aborted" }> =>
  state.at === "created" || state.at === "aborted";

/** What abort could not undo. */
export const residueOf = (state: TransactionState): { actor: string; fault: Fault }[] =>
  state.cast.flatMap(({ actor, state: standing }) =>
    standing.at === "residue" ? [{ actor: actor.id, fault: standing.fault }] : [],
  );

/** Everything that is to be held, and to be done meanwhile; null: the keeper is not needed. */
export function sectionOf(cast: Participants): KeeperSection | null {
  const points = cast.flatMap((m) => m.section?.hold ?? []);
  const chains = cast.flatMap((m) => (m.section === null ? [] : [m.section.commit]));
  const ops: CommitOp[] = [{ op: "parallel", chains }];
  return points.length === 0 && !isForKernel(ops) ? null : { targets: points, ops };
}
