import { firstUnfit, tooLarge } from "../data.js";
import type { FromWorker, Start, ToWorker } from "../wire.js";
import { WorkerCommands } from "./commands.js";
import { callContext } from "./context.js";
import { toPluginFault } from "./fault.js";
import type { Link } from "./link.js";
import type { Method } from "./load.js";

/** Serves the host's calls, which come as its messages, until the worker is killed. */
export function serveCalls(
  methods: ReadonlyMap<string, Method>,
  start: Start,
  link: Link,
): (message: ToWorker) => void {
  const commands = new WorkerCommands(link);
  const running = new Map<number, AbortController>();

  return (message) => {
    switch (message.type) {
      case "start":
        return;
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
  };

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

  /** Otherwise a result that is too long as JSON would end the worker, and with it what the plugin has frozen. */
  function post(answer: FromWorker & { id: number }): void {
    try {
      link.post(answer);
    } catch (error) {
      link.post({ type: "unfit", id: answer.id, unfit: { ...tooLarge, seen: toPluginFault(error).message } });
    }
  }
}

async function outcome(id: number, work: () => unknown): Promise<FromWorker & { id: number }> {
  try {
    const value = (await work()) ?? null;
    const unfit = firstUnfit(value);
    if (unfit === null) return { type: "answer", id, value };
    // What could be called is not data of any kind.
    if (unfit.seen !== "function" && unfit.seen !== "symbol") return { type: "unfit", id, unfit };
    return { type: "uncloneable", id, reason: `the ${unfit.seen} at ${unfit.pointer} could not be cloned` };
  } catch (error) {
    return { type: "failed", id, fault: toPluginFault(error) };
  }
}
