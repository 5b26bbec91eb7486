/** Where the participants of a transaction stand. Pure. */
import type { CriticalSection, Fault, FreezeToken } from "../base/schema/types.js";
import type { Participant, Participants, ParticipantState, TransactionOp, TransactionState } from "./state.js";

export function participantOf(state: TransactionState, id: string): Participant {
  const found = state.participants.find((m) => m.actor.id === id);
  if (found === undefined) throw new Error(`there is no participant ${id}`);
  return found;
}

export function replaced(
  participants: Participants,
  id: string,
  next: ParticipantState,
  section?: CriticalSection | null,
): Participants {
  return participants.map((m) =>
    m.actor.id === id ? { ...m, state: next, section: section === undefined ? m.section : section } : m,
  );
}

export const everyParticipant = (): boolean => true;
export const anyBusy = (state: TransactionState): boolean => state.participants.some((m) => m.state.type === "busy");
export const anyIdle = (state: TransactionState): boolean => state.participants.some((m) => m.state.type === "idle");
export const waits = (state: TransactionState, op: TransactionOp): boolean =>
  state.participants.some((m) => m.state.type === "busy" && m.state.op === op);
export const isAfter = (m: Participant, op: TransactionOp): boolean => m.state.type === "ready" && m.state.after === op;
export const toSeal = (m: Participant): boolean => m.state.type === "ready" && m.state.after !== "seal";
export const toRepair = (m: Participant): boolean => m.actor.repairs && isAfter(m, "seal");
export const tokenOf = ({ state }: Participant): FreezeToken | null => ("token" in state ? state.token : null);
export const faultOf = ({ state }: Participant): Fault | null => ("fault" in state ? state.fault : null);
