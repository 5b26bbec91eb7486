import type { MessagePort } from "node:worker_threads";
import { type FromWorker, type ToWorker, toWorker, wrapMessage } from "../wire.js";

/** The worker's end of the channel to the host. */
export interface Link {
  /** Throws a DataCloneError when the message is not data. */
  post(message: FromWorker): void;
  /** Posts, and calls back when the message is sent: for the last message of a worker. */
  postLast(message: FromWorker, sent: () => void): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

/** In a thread, the channel is the transferred port. In a process, it is the IPC channel, which tinypool also uses. */
export function connectToHost(port: MessagePort | null): Link {
  return port === null ? toParent() : toPort(port);
}

function toPort(port: MessagePort): Link {
  return {
    post: (message) => port.postMessage(wrapMessage(message)),
    postLast(message, sent) {
      port.postMessage(wrapMessage(message));
      sent();
    },
    onMessage(listener) {
      port.on("message", (value: unknown) => deliver(value, listener));
    },
  };
}

function toParent(): Link {
  return {
    post: (message) => process.send?.(wrapMessage(message)),
    postLast: (message, sent) => process.send?.(wrapMessage(message), undefined, {}, sent),
    onMessage(listener) {
      process.on("message", (value: unknown) => deliver(value, listener));
    },
  };
}

function deliver(value: unknown, listener: (message: ToWorker) => void): void {
  const message = toWorker(value);
  if (message !== null) listener(message);
}
