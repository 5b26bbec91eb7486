import type { Server } from "node:http";
import type { Socket } from "node:net";
import { HoldstillError } from "../../base/errors/error.js";
import { type Peer, peerOf } from "./peer.js";

/** Connections in all, and of one user other than root. Beyond `most` they get status 503; beyond twice that they are closed. */
const most = { all: 512, each: 64 };

/** The open connections, each with its peer. */
export class ConnectionLimiter {
  readonly #peers = new WeakMap<Socket, Peer>();
  readonly #refusals = new WeakMap<Socket, HoldstillError>();
  readonly #open = new Set<Socket>();
  readonly #perUser = new Map<number, number>();

  get count(): number {
    return this.#open.size;
  }

  watch(server: Server): void {
    server.maxConnections = 2 * most.all;
    server.prependListener("connection", (socket: Socket) => this.#admit(socket));
  }

  peerOf(socket: Socket): Peer | null {
    return this.#peers.get(socket) ?? null;
  }

  refusalOf(socket: Socket): HoldstillError | null {
    return this.#refusals.get(socket) ?? null;
  }

  /** Ends all connections. */
  closeAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #admit(socket: Socket): void {
    let peer: Peer;
    try {
      peer = peerOf(socket);
    } catch {
      socket.destroy();
      return;
    }
    const { uid } = peer.mark;
    const own = (this.#perUser.get(uid) ?? 0) + 1;
    this.#peers.set(socket, peer);
    this.#open.add(socket);
    this.#perUser.set(uid, own);
    socket.once("close", () => {
      this.#open.delete(socket);
      const left = (this.#perUser.get(uid) ?? 1) - 1;
      if (left === 0) this.#perUser.delete(uid);
      else this.#perUser.set(uid, left);
    });
    const isOverOwn = uid !== 0 && own > most.each;
    if (uid !== 0 && own > 2 * most.each) socket.destroy();
    else if (isOverOwn || this.#open.size > most.all) {
      const whose = isOverOwn ? `user ${uid} has` : "there are";
      const reason = `${whose} too many connections`;
      this.#refusals.set(socket, new HoldstillError("E_UNAVAILABLE", { reason }));
    }
  }
}
