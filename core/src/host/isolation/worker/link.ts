import { Socket } from "node:net";
import type { MessagePort } from "node:worker_threads";
import { Frames } from "../frames.js";
import { encodeMessage, type FromWorker, MESSAGE_LIMIT, type ToWorker, toWorker } from "../wire.js";

/** The worker's end of the channel to the host. */
export interface Link {
  /** @throws Error when the message is not data, or is longer than the host takes. */
  post(message: FromWorker): void;
  /** Posts, and calls back when the message is sent: for the last message of a worker. */
  postLast(message: FromWorker, sent: () => void): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

/** In a thread, the channel is the transferred port. */
export function connectToThread(port: MessagePort): Link {
  return {
    post: (message) => port.postMessage(bounded(message)),
    postLast(message, sent) {
      port.postMessage(bounded(message));
      sent();
    },
    onMessage(listener) {
      port.on("message", (text: string) => listener(toWorker(text)));
    },
  };
}

/** In a process, it is a socket, which the process has inherited as this descriptor. `onEnd`: the host is gone. */
export function connectToProcess(fd: number, onEnd: () => void): Link {
  const socket = new Socket({ fd, readable: true, writable: true });
  socket.on("error", onEnd).on("close", onEnd);
  return {
    post: (message) => void socket.write(`${bounded(message)}\n`),
    postLast: (message, sent) => void socket.write(`${bounded(message)}\n`, () => sent()),
    onMessage(listener) {
      const frames = new Frames(Infinity, (text) => listener(toWorker(text)));
      socket.on("data", (chunk: Buffer) => void frames.take(chunk));
    },
  };
}

/** Ends the worker, with the reason for its host. */
export function die(link: Link, reason: string): void {
  link.postLast({ type: "dying", reason }, () => process.exit(1));
}

function bounded(message: FromWorker): string {
  const text = encodeMessage(message);
  if (text.length > MESSAGE_LIMIT) throw new Error(`more than ${MESSAGE_LIMIT} characters of JSON`);
  return text;
}
