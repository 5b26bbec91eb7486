import type { HoldstillError } from "../../../base/errors/error.js";
import type { PluginOp } from "../operations.js";
import type { ToWorker } from "../wire.js";

/** How long a plugin may take to stop after its signal has fired, ms. */
export const GRACE_MS = 250;

/**
 * The state of one call. `queued`: not sent yet. `given-up`: the caller got an error, and the plugin's signal has fired, but
 * the plugin has not ended the call yet.
 */
export type CallState = "queued" | "sent" | "given-up";

export interface PendingCall {
  readonly id: number;
  readonly op: PluginOp;
  readonly args: readonly unknown[];
  /** When its limit ends: performance.now(), ms. */
  readonly until: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Ends the commands that the plugin runs for this call. */
  readonly commands: AbortController;
  state: CallState;
  timer: NodeJS.Timeout;
  /** Why the host refused a command. This is reported in place of the plugin's error about it. */
  refusal?: HoldstillError;
}

/**
 * The calls of one session that have not ended. While one is given up, no other call is sent: two methods of a plugin would
 * run at once, such as an abort beside the freeze that it is to undo.
 */
export class PendingCalls {
  readonly #send: (message: ToWorker) => void;
  /** The plugin did not stop after its signal had fired. */
  readonly #onDeaf: (op: PluginOp) => void;
  readonly #calls = new Map<number, PendingCall>();
  #last = 0;

  constructor(send: (message: ToWorker) => void, onDeaf: (op: PluginOp) => void) {
    this.#send = send;
    this.#onDeaf = onDeaf;
  }

  add(op: PluginOp, args: readonly unknown[], limitMs: number, late: () => HoldstillError): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      const until = performance.now() + limitMs;
      const timer = setTimeout(() => this.giveUp(id, late()), limitMs);
      const commands = new AbortController();
      this.#calls.set(id, { id, op, args, until, resolve, reject, commands, state: "queued", timer });
      this.#sendQueued();
    });
  }

  /** A call whose caller still waits. */
  awaited(id: number): PendingCall | undefined {
    const call = this.#calls.get(id);
    return call?.state === "sent" ? call : undefined;
  }

  /** The plugin ended the call. The call is returned if its caller still waits. */
  end(id: number): PendingCall | undefined {
    const awaited = this.awaited(id);
    const call = this.#calls.get(id);
    // It cannot know of the call yet.
    if (call?.state === "queued") return undefined;
    clearTimeout(call?.timer);
    call?.commands.abort();
    this.#calls.delete(id);
    this.#sendQueued();
    return awaited;
  }

  /** Rejects at once. The plugin gets some time to stop. */
  giveUp(id: number, error: HoldstillError): void {
    const call = this.#calls.get(id);
    if (call === undefined || call.state === "given-up") return;
    clearTimeout(call.timer);
    call.reject(error);
    call.commands.abort();
    if (call.state === "queued") {
      this.#calls.delete(id);
      return;
    }
    call.state = "given-up";
    call.timer = setTimeout(() => this.#onDeaf(call.op), GRACE_MS);
    this.#send({ type: "abort", id });
  }

  giveUpAll(why: (op: PluginOp) => HoldstillError): void {
    for (const call of this.#calls.values()) this.giveUp(call.id, why(call.op));
  }

  /** The worker has ended. */
  endAll(why: (op: PluginOp) => HoldstillError): void {
    for (const call of this.#calls.values()) {
      clearTimeout(call.timer);
      call.commands.abort();
      call.reject(why(call.op));
    }
    this.#calls.clear();
  }

  #sendQueued(): void {
    const calls = [...this.#calls.values()];
    if (calls.some(({ state }) => state === "given-up")) return;
    for (const call of calls.filter(({ state }) => state === "queued")) {
      call.state = "sent";
      const { id, op, args, until } = call;
      this.#send({ type: "call", id, op, args, limitMs: until - performance.now() });
    }
  }
}
