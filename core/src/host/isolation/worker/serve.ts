import { exceeds } from "../host/answer-size.js";
import type { FromWorker, Start, ToWorker } from "../wire.js";
import { WorkerCommands } from "./commands.js";
import { callContext } from "./context.js";
import { toPluginFault } from "./fault.js";
import type { Link } from "./link.js";
import type { Method } from "./load.js";

/** Serves the host's calls until the worker is killed. */
export function serveCalls(methods: ReadonlyMap<string, Method>, start: Start, link: Link): void {
  const commands = new WorkerCommands(link);
  const running = new Map<number, AbortController>();

  link.onMessage((message) => {
    switch (message.type) {
      case "call":
        void run(message);
        return;
      case "abort":
        running.get(message.id)?.abort(new Error("the host gave up on this call"));
        return;
      case "exec-done":
      case "exec-failed":
        commands.settle(message);
        return;
    }
  });

  async function run({ id, op, args, limitMs }: Extract<ToWorker, { type: "call" }>): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    const answer = await outcome(id, () => {
      const context = callContext({ id, limitMs, signal: controller.signal }, start, link, commands);
      return methods.get(op)?.(...args, context);
    });
    running.delete(id);
    post(answer);
  }

  /** Otherwise a result with a function in it would end the worker, and with it what the plugin has frozen. */
  function post(answer: FromWorker & { id: number }): void {
    try {
      link.post(answer);
    } catch (error) {
      link.post({ type: "uncloneable", id: answer.id, reason: toPluginFault(error).message.replace(/\.$/, "") });
    }
  }
}

async function outcome(id: number, work: () => unknown): Promise<FromWorker & { id: number }> {
  try {
    const value = (await work()) ?? null;
    return exceeds(value) ? { type: "too-large", id } : { type: "answer", id, value };
  } catch (error) {
    return { type: "failed", id, fault: toPluginFault(error) };
  }
}
