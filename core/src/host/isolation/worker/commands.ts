import type { ExecOptions, ExecResult } from "../../../os/exec/options.js";
import type { PluginFault, ToWorker } from "../wire.js";
import type { Link } from "./link.js";

interface Waiting {
  resolve(result: ExecResult): void;
  reject(error: Error): void;
}

/** Commands that the host runs for the plugin. The host owns them, because a terminated worker could not end them. */
export class WorkerCommands {
  readonly #link: Link;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  run(call: number, command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const id = ++this.#last;
    return new Promise<ExecResult>((resolve, reject) => {
      this.#link.post({ type: "exec", id, call, command, args: [...args], options });
      this.#waiting.set(id, { resolve, reject });
    });
  }

  settle(message: Extract<ToWorker, { type: "exec-done" | "exec-failed" }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "exec-done") waiting?.resolve(message.result);
    else waiting?.reject(toError(message.fault));
  }
}

function toError({ message, code, hint }: PluginFault): Error {
  return Object.assign(new Error(message), {
    ...(code !== undefined && { code }),
    ...(hint !== undefined && { hint }),
  });
}
