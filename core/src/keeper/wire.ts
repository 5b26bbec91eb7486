import type { CommitOp, HoldTarget } from "../base/schema/types.js";
import type { SectionReport } from "./section.js";

/** The file system that a target must have; ids as in /proc/self/mountinfo. */
export interface FileSystemIdentity {
  mountId: number;
  /** major:minor */
  number: string;
  fsType: string;
}

/** A target as the keeper is armed for it. Each file system or device comes once, however many hold targets name it. */
export interface ArmTarget {
  target: HoldTarget;
  /** Of a file system; null for a device-mapper device, whose number the keeper looks up itself. */
  identity: FileSystemIdentity | null;
  /** Targets are held in ascending order of rank, those of equal rank at the same time. They are released in descending order. */
  rank: number;
}

/** Everything that the keeper has to know before anything is held. */
export interface ArmRequest {
  targets: ArmTarget[];
  ops: CommitOp[];
  limitMs: number;
  lockMemory: boolean;
  /** The file in which the keeper records what it holds. */
  register: string;
  /** The command that releases what the register lists. The watchdog runs it when the keeper is killed. */
  rescue: string[];
}

/** From the core: one JSON document per line. `beat` is sent four times a second from hold to release. */
export type CoreMessage =
  | { type: "arm"; request: ArmRequest }
  | { type: "hold"; limitMs: number }
  | { type: "beat" }
  | { type: "release" }
  | { type: "disarm" };

/** Why a section failed. `index` is that of the target at fault. */
export type SectionFailure =
  | { type: "busy"; index: number }
  | { type: "refused"; index: number; reason: string }
  | { type: "op"; name: string; reason: string }
  | { type: "fault"; reason: string };

/** The end of a section. The kernel had not answered for the targets in `missing` and the operations in `unanswered` when it was released. */
export interface SectionEnd {
  report: SectionReport;
  failure: SectionFailure | null;
  /** Indexes of targets. */
  missing: number[];
  /** Names of operations. */
  unanswered: string[];
}

/** From the keeper. */
export type KeeperMessage =
  | { type: "armed" }
  | { type: "unarmed"; reason: string; index: number | null }
  | { type: "held" }
  | ({ type: "over" } & SectionEnd);

export const HEARTBEAT_MS = 250;
/** After this time without a message the keeper takes the core for dead or stopped. */
export const SILENCE_MS = 1000;

export const encode = (message: CoreMessage | KeeperMessage): string => `${JSON.stringify(message)}\n`;

/** Splits a stream of text into its messages. Both ends are of one build, so the content of a line is not checked again. */
export function decoder(onMessage: (message: unknown) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onMessage(JSON.parse(line));
  };
}
