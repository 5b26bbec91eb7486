import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** What is said to who may not come in. */
export interface LoginRefusal {
  status: 400 | 403 | 405;
  reason: string;
}

/**
 * Who may look at the page. On TCP the kernel does not say who asks: so whoever has the token may, once, and gets a cookie for it
 * that other sites cannot send. Cookies go to every port of a host; the path of this one, which nobody can guess, keeps it here.
 */
export class PageLogin {
  /** null: none was given, or it was used. */
  #token: Buffer | null = null;
  readonly #path = `/${randomBytes(16).toString("hex")}/`;
  readonly #secret = randomBytes(32);

  /** A token for an address that is told; the one before is good for nothing any more. */
  issue(): string {
    this.#token = randomBytes(32);
    return this.#token.toString("hex");
  }

  /** What nobody may ask, whoever he is. */
  refuse({ method, headers }: IncomingMessage): LoginRefusal | null {
    if (method !== "GET") return { status: 405, reason: "This page is to be looked at only." };
    // A name that somebody else owns may lead here: DNS rebinding. Ports are free: they may be forwarded.
    if (!/^(127\.0\.0\.1|localhost)(:[0-9]{1,5})?$/.test(headers.host ?? ""))
      return { status: 400, reason: "This page is at 127.0.0.1 or localhost only." };
    const from = headers["sec-fetch-site"];
    if (from !== undefined && from !== "same-origin" && from !== "none")
      return { status: 403, reason: "Another page asks for this one. Write the address into the browser's own line." };
    // Who only thinks of coming is not to use the token up.
    if (headers["sec-purpose"] !== undefined) return { status: 403, reason: "Nothing here is to be fetched before." };
    return null;
  }

  /** Takes the token, and gives the cookie and the path that it is good for. null: that was not the token, or it was used. */
  enter(token: string): { path: string; cookie: string } | null {
    if (this.#token === null || !isSame(token, this.#token)) return null;
    this.#token = null;
    const cookie = `holdstill=${this.#secret.toString("hex")}; Path=${this.#path}; HttpOnly; SameSite=Strict`;
    return { path: this.#path, cookie };
  }

  /** What is asked for below the path, of who has the cookie. null: he may not. */
  within({ headers }: IncomingMessage, pathname: string): string | null {
    const cookie = /(?:^|; )holdstill=([0-9a-f]+)(?:;|$)/.exec(headers.cookie ?? "")?.[1] ?? "";
    return isSame(cookie, this.#secret) && pathname.startsWith(this.#path) ? pathname.slice(this.#path.length) : null;
  }
}

function isSame(text: string, secret: Buffer): boolean {
  const given = Buffer.from(text, "hex");
  return given.length === secret.length && timingSafeEqual(given, secret);
}
