import { isForKernel } from "../keeper/commit-ops.js";
import type { CommitOp, CriticalSection, Fault, FreezeToken, HoldPoint } from "../base/schema/types.js";

export interface Actor {
  readonly id: string;
  readonly role: "writer" | "provider";
  readonly policy: "required" | "best-effort";
  /** Freezing order: 0 front-end, 1 back-end, 2 system; 0 for providers. */
  readonly level: 0 | 1 | 2;
  /** Whether it has pictures to repair. */
  readonly repairs: boolean;
}

export type Op = "prepare" | "freeze" | "commit" | "thaw" | "seal" | "recover" | "abort";

/** Where one actor stands. `fault` says why it takes no further part. */
export type Standing =
  | { at: "idle" }
  | { at: "busy"; op: Op; token: FreezeToken | null; fault: Fault | null }
  | { at: "ready"; after: Exclude<Op, "freeze" | "abort"> }
  | { at: "frozen"; token: FreezeToken }
  | { at: "failed"; op: Op; token: FreezeToken | null; fault: Fault }
  | { at: "undone"; fault: Fault | null }
  | { at: "residue"; fault: Fault };

export interface Member {
  readonly actor: Actor;
  readonly standing: Standing;
  readonly section: CriticalSection | null;
}
export type Cast = readonly Member[];

export type State =
  | { at: "planned"; cast: Cast }
  | { at: "preparing"; cast: Cast }
  | { at: "arming"; cast: Cast }
  | { at: "freezing"; cast: Cast; level: number }
  | { at: "holding"; cast: Cast }
  | { at: "committing"; cast: Cast; held: boolean }
  | { at: "releasing"; cast: Cast }
  | { at: "thawing"; cast: Cast; level: number }
  | { at: "sealing"; cast: Cast }
  | { at: "recovering"; cast: Cast }
  | { at: "recording"; cast: Cast }
  | { at: "undoing"; cast: Cast; stage: "release" | "thaw" | "abort"; cause: Fault }
  | { at: "created"; cast: Cast }
  | { at: "aborted"; cast: Cast; cause: Fault };

export type Event =
  | { is: "start" }
  | { is: "prepared"; actor: string; section: CriticalSection | null }
  | { is: "frozen"; actor: string; token: FreezeToken }
  | { is: "committed"; actor: string }
  | { is: "thawed"; actor: string }
  | { is: "sealed"; actor: string }
  | { is: "recovered"; actor: string }
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
export interface Section {
  readonly points: readonly HoldPoint[];
  readonly ops: readonly CommitOp[];
}

export type Effect =
  | { do: "call"; actor: string; op: Op; token: FreezeToken | null }
  | { do: "cancel"; actor: string }
  | { do: "arm"; section: Section }
  | { do: "hold" }
  | { do: "release" }
  | { do: "record" };

export interface Step {
  state: State;
  effects: Effect[];
}

export const plan = (actors: readonly Actor[]): State => ({
  at: "planned",
  cast: actors.map((actor) => ({ actor, standing: { at: "idle" }, section: null })),
});

export const isEnd = (state: State): state is Extract<State, { at: "created" | "aborted" }> =>
  state.at === "created" || state.at === "aborted";

/** What abort could not undo. */
export const residueOf = (state: State): { actor: string; fault: Fault }[] =>
  state.cast.flatMap(({ actor, standing }) =>
    standing.at === "residue" ? [{ actor: actor.id, fault: standing.fault }] : [],
  );

/** Everything that is to be held, and to be done meanwhile; null: the keeper is not needed. */
export function sectionOf(cast: Cast): Section | null {
  const points = cast.flatMap((m) => m.section?.hold ?? []);
  const chains = cast.flatMap((m) => (m.section === null ? [] : [m.section.commit]));
  const ops: CommitOp[] = [{ op: "parallel", chains }];
  return points.length === 0 && !isForKernel(ops) ? null : { points, ops };
}
