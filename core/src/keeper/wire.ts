import type { CommitOp, HoldTarget } from "../base/schema/types.js";
import type { BackendName, SectionReport } from "./section.js";

/** The file system that a point must have; ids as in /proc/self/mountinfo. */
export interface FileSystemIdentity {
  mountId: number;
  /** major:minor */
  number: string;
  fsType: string;
}

/** One thing to hold, however many names it has: two mounts of one file system are one station. */
export interface ArmTarget {
  target: HoldTarget;
  /** Of a file system; null for a device-mapper device, whose number the keeper looks up itself. */
  identity: FileSystemIdentity | null;
  /** Held in ascending order, equal ones at a time; released in descending order. */
  rank: number;
}

/** Everything that the keeper has to know, before anything is held. */
export interface ArmRequest {
  targets: ArmTarget[];
  ops: CommitOp[];
  limitMs: number;
  lockMemory: boolean;
  /** null: ioctl if koffi can be loaded, else commands. */
  means: BackendName | null;
  /** The file in which the keeper notes what it holds. */
  register: string;
}

/** From the core: one JSON document a line. `beat` four times a second from hold to release. */
export type CoreMessage =
  | { say: "arm"; arms: ArmRequest }
  | { say: "hold"; limitMs: number }
  | { say: "beat" }
  | { say: "release" }
  | { say: "disarm" };

/** Why a section failed. `station`: the culprit. */
export type SectionFailure =
  | { is: "busy"; station: number }
  | { is: "refused"; station: number; reason: string }
  | { is: "op"; name: string; reason: string }
  | { is: "fault"; reason: string };

/** From the keeper. `missing`: stations, and `unanswered`: operations, that the kernel had not answered when it released. `late`: a hold that came after the report, and was released at once. */
export type KeeperMessage =
  | { say: "armed"; means: BackendName }
  | { say: "unarmed"; reason: string; station: number | null }
  | { say: "held" }
  | { say: "over"; report: SectionReport; failure: SectionFailure | null; missing: number[]; unanswered: string[] }
  | { say: "late"; station: number };

export const HEARTBEAT_MS = 250;
/** So long without a word, and the keeper takes the core for dead or stopped. */
export const SILENCE_MS = 1000;

export const encode = (message: CoreMessage | KeeperMessage): string => `${JSON.stringify(message)}\n`;

/** Cuts a stream of text into its messages. Both ends are of one build, so what a line holds is not checked again. */
export function decoder(each: (message: unknown) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) each(JSON.parse(line));
  };
}
