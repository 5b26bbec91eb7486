import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The response to a request that is refused. */
export interface LoginRefusal {
  status: 400 | 403 | 405;
  reason: string;
}

/**
 * Access to the page. On TCP the kernel does not report the user: so the token admits one browser, once, which gets a cookie that other
 * sites cannot send. Browsers send cookies to every port of a host; the path of this one, which cannot be guessed, keeps it here.
 */
export class PageLogin {
  /** null: none was issued, or it was used. */
  #token: Buffer | null = null;
  readonly #path = `/${randomBytes(16).toString("hex")}/`;
  readonly #secret = randomBytes(32);

  /** A token for a new address. The token before is no longer valid. */
  issue(): string {
    this.#token = randomBytes(32);
    return this.#token.toString("hex");
  }

  /** Requests that are refused with any token or cookie. */
  refuse({ method, headers }: IncomingMessage): LoginRefusal | null {
    if (method !== "GET") return { status: 405, reason: "This page is read-only." };
    // DNS rebinding: a name of another owner may lead here. Any port is accepted, because it may be forwarded.
    if (!/^(127\.0\.0\.1|localhost)(:[0-9]{1,5})?$/.test(headers.host ?? ""))
      return { status: 400, reason: "This page is available at 127.0.0.1 or localhost only." };
    const from = headers["sec-fetch-site"];
    if (from !== undefined && from !== "same-origin" && from !== "none")
      return { status: 403, reason: "Another site requested this page. Enter the address in the browser." };
    // A prefetch must not use up the token.
    if (headers["sec-purpose"] !== undefined) return { status: 403, reason: "This page cannot be prefetched." };
    return null;
  }

  /** Exchanges the token for the cookie and its path. null: the token is wrong, or was used. */
  enter(token: string): { path: string; cookie: string } | null {
    if (this.#token === null || !isSame(token, this.#token)) return null;
    this.#token = null;
    const cookie = `holdstill=${this.#secret.toString("hex")}; Path=${this.#path}; HttpOnly; SameSite=Strict`;
    return { path: this.#path, cookie };
  }

  /** The requested name below the path. null: the cookie or the path is wrong. */
  within({ headers }: IncomingMessage, pathname: string): string | null {
    const cookie = /(?:^|; )holdstill=([0-9a-f]+)(?:;|$)/.exec(headers.cookie ?? "")?.[1] ?? "";
    return isSame(cookie, this.#secret) && pathname.startsWith(this.#path) ? pathname.slice(this.#path.length) : null;
  }
}

function isSame(text: string, secret: Buffer): boolean {
  const given = Buffer.from(text, "hex");
  return given.length === secret.length && timingSafeEqual(given, secret);
}
