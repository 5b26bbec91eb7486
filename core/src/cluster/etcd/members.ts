import { HoldstillError } from "../../base/errors/error.js";
import { failureOf, type EtcdMember, wholeMs } from "./member.js";

/** After this time a call is also sent to the next member, ms. A member that is stopped, or has lost its leader, never answers. */
const RESEND_MS = 250;
const RETRY_MS = 20;

/** The members of one etcd, of which the first that answers is preferred. */
export class Members {
  readonly all: readonly EtcdMember[];
  readonly #name: string;
  #preferred = 0;

  /** @param name Of this client, for errors. */
  constructor(all: readonly EtcdMember[], name: string) {
    this.all = all;
    this.#name = name;
  }

  get current(): EtcdMember {
    return this.#at(this.#preferred);
  }

  /** Away from this member, unless another stream has moved on already. */
  leave(member: EtcdMember): void {
    if (this.current === member) this.#preferred += 1;
  }

  /**
   * Makes a call that may be made twice: at one member, and every 250 ms also at the next, until one answers or the time is over.
   *
   * @param about The key, for errors.
   * @throws HoldstillError E_CLUSTER_UNREACHABLE, E_CLUSTER_DENIED
   */
  ask<T>(about: string, limitMs: number, call: (member: EtcdMember, timeoutMs: number) => Promise<T>): Promise<T> {
    const until = performance.now() + limitMs;
    const first = this.#preferred;
    return new Promise<T>((resolve, reject) => {
      let reason = `no answer within ${Math.round(limitMs)} ms`;
      let sent = 0;
      let retry: NodeJS.Timeout | undefined;
      const end = (act: () => void): void => {
        clearInterval(resend);
        clearTimeout(limit);
        clearTimeout(retry);
        act();
      };
      const send = (): void => {
        const index = first + sent;
        const leftMs = until - performance.now();
        sent += 1;
        if (leftMs <= 0) return;
        call(this.#at(index), wholeMs(leftMs)).then(
          (answer) => {
            this.#preferred = index;
            end(() => resolve(answer));
          },
          (error: unknown) => {
            const failure = failureOf(error);
            reason = failure.reason;
            if (failure.type === "failed") retry = setTimeout(send, RETRY_MS);
            else end(() => reject(new HoldstillError("E_CLUSTER_DENIED", { name: this.#name, key: about, reason })));
          },
        );
      };
      const resend = setInterval(send, RESEND_MS);
      const limit = setTimeout(() => end(() => reject(this.#unreachable(reason))), limitMs);
      send();
    });
  }

  close(): void {
    for (const member of this.all) member.close();
  }

  #unreachable(reason: string): HoldstillError {
    return new HoldstillError("E_CLUSTER_UNREACHABLE", { endpoints: this.all.map(({ url }) => url), reason });
  }

  #at(index: number): EtcdMember {
    const member = this.all[index % this.all.length];
    if (member === undefined) throw new Error("etcd has no member");
    return member;
  }
}
