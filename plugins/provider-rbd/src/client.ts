import { once } from "node:events";
import type { Context } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import { type Failure, failureOf, unreachable } from "./failure.js";
import type { Connected, Operation, Operations } from "./messages.js";
import type { Options } from "./options.js";
import { PYTHON, Session } from "./session.js";

/** How long before the call's own deadline a request is given up, so that the error names it, ms; of a short call, a quarter. */
const MARGIN_MS = 500;
type Call = Pick<Context<Options>, "options" | "signal" | "deadline">;

/** Of this worker, by its options. A connection is kept, so that the next call does not make one: it takes a quarter of a second. */
const sessions = new Map<string, Session>();

/** The cluster, for one call of the host. Each request ends with that call: by its deadline, or when its signal fires. */
export class Client {
  readonly #call: Call;
  readonly #session: Session;
  readonly connected: Connected;

  private constructor(call: Call, session: Session, connected: Connected) {
    this.#call = call;
    this.#session = session;
    this.connected = connected;
  }

  /** @throws PluginError UNREACHABLE, DENIED, NO_CLIENT */
  static async connect(call: Call): Promise<Client> {
    const key = JSON.stringify(call.options);
    const known = sessions.get(key);
    const session = known?.state === "alive" ? known : new Session(call.options);
    sessions.set(key, session);
    const connected = await answered("a connection", session.connected, session, call);
    return new Client(call, session, connected);
  }

  /** The same connection in another call. @throws PluginError UNREACHABLE if it has ended. */
  during(call: Call): Client {
    if (this.#session.state === "alive") return new Client(call, this.#session, this.connected);
    throw ended("the commit", call.options.conf, this.#session);
  }

  /** @param patience quick: without an answer soon, the cluster is unreachable. patient: the request may take as long as the call. */
  async request<O extends Operation>(
    op: O,
    args: Operations[O][0],
    patience: "quick" | "patient" = "quick",
  ): Promise<Operations[O][1]> {
    const answer = this.#session.send(op, args);
    return (await answered(op, answer, this.#session, this.#call, patience)) as Operations[O][1];
  }
}

/** @throws PluginError. The session of a request that had no answer is killed: what it was asked for is not to be done later. */
async function answered<T>(
  what: string,
  answer: Promise<T>,
  session: Session,
  { options: { conf, answerSeconds }, deadline, signal }: Call,
  patience: "quick" | "patient" = "quick",
): Promise<T> {
  const left = deadline - Date.now();
  const own = left - Math.min(MARGIN_MS, left / 4);
  const limit = Math.max(0, patience === "quick" ? Math.min(own, answerSeconds * 1000) : own);
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), limit);
  const onAbort = (): void => giveUp.abort();
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) giveUp.abort();
  try {
    return await Promise.race([answer, given(giveUp.signal)]);
  } catch (error) {
    if (giveUp.signal.aborted) session.kill();
    if (signal.aborted) throw signal.reason;
    if (giveUp.signal.aborted)
      throw unreachable(what, conf, `it did not respond within ${Math.round(limit / 100) / 10} s`);
    if (error === null) throw ended(what, conf, session);
    if (isFailure(error)) throw failureOf(what, error);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    giveUp.abort();
  }
}

/** Rejects when it fires. */
async function given(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, "abort");
  throw new Error("given up");
}

const isFailure = (error: unknown): error is Failure =>
  typeof error === "object" && error !== null && "errno" in error && !(error instanceof Error);

/** A client that ended by itself: it is not installed, or was killed. */
function ended(what: string, conf: string, { words }: Session): PluginError {
  if (!/ModuleNotFoundError|ENOENT/.test(words)) return unreachable(what, conf, `its client ended: ${words}`);
  const hint = "Install the package with the module, which is python3-rbd in Debian and the Red Hat family.";
  return new PluginError("NO_CLIENT", `${PYTHON} cannot be used as a client of Ceph: ${words}.`, hint);
}
