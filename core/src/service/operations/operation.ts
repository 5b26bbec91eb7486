import { HoldstillError, toFault } from "../../base/errors/error.js";
import { endingOf } from "../../base/errors/outcome.js";
import type { TransactionResult } from "../../engine/types.js";
import type {
  Event,
  OperationDocument,
  OperationResult,
  OperationState,
  RequesterMark,
  SetRequest,
} from "../../base/schema/types.js";
import { EventRecord } from "./event-record.js";

/** One operation while this service has it in memory. */
export class RunningOperation {
  readonly id: string;
  readonly events = new EventRecord();
  readonly requester: RequesterMark;
  readonly #request: SetRequest;
  readonly #acceptedAt = new Date().toISOString();
  readonly #controller = new AbortController();
  readonly #over: Promise<void>;
  #end: () => void = () => undefined;
  #state: OperationState = { type: "accepted" };
  #last: Event | null = null;
  /** Number of readers: see Leases. */
  watchers = 0;

  constructor(id: string, requester: RequesterMark, request: SetRequest) {
    this.id = id;
    this.requester = requester;
    this.#request = request;
    this.#over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.#state.type === "ended";
  }

  get document(): OperationDocument {
    const { id, requester } = this;
    return { id, acceptedAt: this.#acceptedAt, requester, request: this.#request, state: this.#state };
  }

  note(event: Event): void {
    if (event.type === "queued") {
      const { volume, owner, position = 1 } = event;
      this.#state = { type: "queued", volume, owner, position };
    }
    if (event.type === "phase") this.#state = { type: "running", phase: event.phase };
    // A reader of the last event must find the operation ended, so that event waits for end().
    if (event.type === "ended") this.#last = event;
    else this.events.add(event);
  }

  end(result: OperationResult): void {
    this.#state = { type: "ended", endedAt: new Date().toISOString(), result };
    // The engine sent `ended`, unless the operation was refused before there were plugins.
    this.events.add(this.#last ?? operationEnded(result));
    this.#end();
  }

  /** Everything is undone in order. */
  interrupt(signal: string): void {
    this.#controller.abort(new HoldstillError("E_INTERRUPTED", { signal }));
  }

  /** Resolves when it has ended, the time is up, or the client is gone. */
  async wait(limitMs: number, gone: AbortSignal): Promise<void> {
    if (this.isOver || gone.aborted) return;
    await new Promise<void>((resolve) => {
      const stop = (): void => {
        clearTimeout(timer);
        gone.removeEventListener("abort", stop);
        resolve();
      };
      const timer = setTimeout(stop, limitMs);
      gone.addEventListener("abort", stop, { once: true });
      void this.#over.then(stop);
    });
  }
}

export function resultOf({ outcome, exitCode, set, error, residue, timeline }: TransactionResult): OperationResult {
  return {
    outcome,
    exitCode,
    ...(set === null ? {} : { set: set.id }),
    ...(error === null ? {} : { error }),
    residue,
    timeline,
  };
}

/** The result of an operation that was refused before anything was begun. */
export function refusalOf(thrown: unknown): OperationResult {
  const error = toFault(thrown);
  return { ...endingOf(error.code, "not-begun"), error, residue: [], timeline: [] };
}

export function operationEnded({ outcome, exitCode, set, error, residue }: OperationResult): Event {
  return {
    type: "ended",
    at: new Date().toISOString(),
    ms: 0,
    outcome,
    exitCode,
    residue,
    ...(set === undefined ? {} : { set }),
    ...(error === undefined ? {} : { error }),
  };
}
