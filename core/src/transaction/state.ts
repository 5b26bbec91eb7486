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

/** The state of one actor. With a `fault`, it takes no further part. */
export type ParticipantState =
  | { type: "idle" }
  | { type: "busy"; op: TransactionOp; token: FreezeToken | null; fault: Fault | null }
  | { type: "ready"; after: Exclude<TransactionOp, "freeze" | "abort"> }
  | { type: "frozen"; token: FreezeToken }
  | { type: "failed"; op: TransactionOp; token: FreezeToken | null; fault: Fault }
  | { type: "undone"; fault: Fault | null }
  | { type: "residue"; fault: Fault };

export interface Participant {
  readonly actor: Actor;
  readonly state: ParticipantState;
  readonly section: CriticalSection | null;
}
export type Participants = readonly Participant[];

/** Whether other hosts take the same set at the same instant. */
export type Company = "alone" | "cluster";

/** Where this host waits for the others. `taken` is inside the hold, if there is one. */
export type Meeting = { step: "armed" } | { step: "frozen" } | { step: "taken"; held: boolean };
export type MeetingStep = Meeting["step"];

type Stage =
  | { type: "planned" }
  | { type: "preparing" }
  | { type: "arming" }
  | { type: "freezing"; level: number }
  | { type: "holding" }
  | { type: "committing"; held: boolean }
  | { type: "releasing" }
  | { type: "thawing"; level: number }
  | { type: "sealing" }
  | { type: "repairing" }
  | { type: "meeting"; at: Meeting }
  /** This host has voted for the set, or is about to. With a cause, it wants to take its vote back. */
  | { type: "voting"; cause: Fault | null }
  | { type: "recording" }
  | { type: "undoing"; stage: "release" | "thaw" | "abort"; cause: Fault }
  | { type: "created" }
  | { type: "aborted"; cause: Fault }
  /** This host has voted, and can neither keep nor undo the set yet. Nothing is held or frozen. */
  | { type: "unsettled"; cause: Fault };

export type TransactionState = Stage & { readonly participants: Participants; readonly company: Company };

export type TransactionEvent =
  | { type: "start" }
  | { type: "prepared"; actor: string; section: CriticalSection | null }
  | { type: "frozen"; actor: string; token: FreezeToken }
  | { type: "committed"; actor: string }
  | { type: "thawed"; actor: string }
  | { type: "sealed"; actor: string }
  | { type: "repaired"; actor: string }
  | { type: "undone"; actor: string }
  | { type: "failed"; actor: string; fault: Fault }
  | { type: "armed" }
  | { type: "held" }
  | { type: "released"; fault: Fault | null }
  | { type: "hold-failed"; fault: Fault }
  | { type: "met"; step: MeetingStep }
  /** The set cannot be taken together. This host has not voted for it. */
  | { type: "apart"; fault: Fault }
  | { type: "decided"; verdict: "commit" }
  /** The set will never be committed: another host or the coordinator refused it, or this host has withdrawn. */
  | { type: "decided"; verdict: "abort"; fault: Fault }
  /** The verdict cannot be learned now. */
  | { type: "undecided"; fault: Fault }
  | { type: "recorded" }
  | { type: "record-failed"; fault: Fault }
  | { type: "interrupted"; fault: Fault };

/** The critical sections of all providers, as one. The operations of one provider do not wait for those of another. */
export interface KeeperSection {
  readonly targets: readonly HoldTarget[];
  readonly ops: readonly CommitOp[];
}

export type Effect =
  | { type: "call"; actor: string; op: TransactionOp; token: FreezeToken | null }
  | { type: "cancel"; actor: string }
  | { type: "arm"; section: KeeperSection }
  | { type: "hold" }
  | { type: "release" }
  | { type: "meet"; step: MeetingStep }
  | { type: "vote" }
  /** The other hosts are not to wait for this one. After a vote, only the answer lets this host undo the set. */
  | { type: "withdraw"; cause: Fault }
  | { type: "record" };

export interface Transition {
  state: TransactionState;
  effects: Effect[];
}

export const initialState = (actors: readonly Actor[], company: Company = "alone"): TransactionState => ({
  type: "planned",
  company,
  participants: actors.map((actor) => ({ actor, state: { type: "idle" }, section: null })),
});

export const isEnd = (
  state: TransactionState,
): state is Extract<TransactionState, { type: "created" | "aborted" | "unsettled" }> =>
  state.type === "created" || state.type === "aborted" || state.type === "unsettled";

/** The same transaction at another stage. */
export const enter = <S extends Stage>({ participants, company }: TransactionState, stage: S) => ({
  ...stage,
  participants,
  company,
});

/** What abort could not undo. */
export const residueOf = (state: TransactionState): { actor: string; fault: Fault }[] =>
  state.participants.flatMap(({ actor, state: last }) =>
    last.type === "residue" ? [{ actor: actor.id, fault: last.fault }] : [],
  );

/** All that is to be held, and done meanwhile; null: nothing has to be held. */
export function sectionOf(participants: Participants): KeeperSection | null {
  const points = participants.flatMap((m) => m.section?.hold ?? []);
  const chains = participants.flatMap((m) => (m.section === null ? [] : [m.section.commit]));
  const ops: CommitOp[] = [{ op: "parallel", chains }];
  return points.length === 0 && !isForKernel(ops) ? null : { targets: points, ops };
}
