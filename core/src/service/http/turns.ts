import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests of one connection that wait for the one before. A connection with more of them is closed. */
const mostWaiting = 16;
/** Calls of one user other than root that are worked on, or whose responses are not read yet, at the same time. */
const mostOfUser = 8;

/**
 * Handles one request of a connection at a time. Node.js parses pipelined requests as they come, and keeps all responses in memory.
 */
export function oneAtATime(handle: RequestListener): RequestListener {
  const queues = new WeakMap<Socket, [IncomingMessage, ServerResponse][]>();
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    response.once("close", () => {
      const queue = queues.get(request.socket);
      const next = queue?.shift();
      if (next === undefined || request.socket.destroyed) queues.delete(request.socket);
      else begin(...next);
    });
    handle(request, response);
  };
  return (request, response) => {
    const queue = queues.get(request.socket);
    if (queue === undefined) {
      queues.set(request.socket, []);
      begin(request, response);
    } else if (queue.length < mostWaiting) queue.push([request, response]);
    else request.socket.destroy();
  };
}

/** The calls of each user. */
export class UserTurns {
  readonly #users = new Map<number, { running: number; waiting: (() => void)[] }>();

  /** Waits for its turn, which lasts until the response was sent, or the connection is closed. */
  async take(uid: number, response: ServerResponse): Promise<void> {
    if (uid === 0) return;
    const user = this.#users.get(uid) ?? { running: 0, waiting: [] };
    this.#users.set(uid, user);
    if (user.running < mostOfUser) user.running += 1;
    else await new Promise<void>((resolve) => user.waiting.push(resolve));
    const leave = (): void => {
      const next = user.waiting.shift();
      if (next !== undefined) next();
      else if ((user.running -= 1) === 0) this.#users.delete(uid);
    };
    if (response.closed) leave();
    else response.once("close", leave);
  }
}
