import type { Right } from "../../base/config/settings.js";
import type { Engine } from "../../engine/engine.js";
import type { Health } from "../../base/schema/types.js";
import type { SchemaName, Shape } from "../../base/schema/validate.js";
import type { EventRecord } from "../operations/event-record.js";
import type { Leases } from "../operations/leases.js";
import type { Operations } from "../operations/operations.js";
import type { Peer } from "./peer.js";

/** What the routes work with. */
export interface RouteContext {
  engine: Engine;
  operations: Operations;
  leases: Leases;
  health: (peer: Peer) => Health;
  /** A new address of the page, which works once; null: there is no page. */
  newPageAddress: () => string | null;
}

/** A call that was checked and allowed. */
export interface RouteCall<B extends SchemaName | null> {
  peer: Peer;
  /** On behalf of the peer. */
  engine: Engine;
  /** The value of `{…}` in the path. */
  key: string;
  query: Readonly<Record<string, string>>;
  body: B extends SchemaName ? Shape<B> : null;
  header: (name: string) => string | null;
  /** Aborted when the client no longer waits for the response. */
  gone: AbortSignal;
}

export interface RouteAnswer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
  /** In place of a body: these events, from this number on. */
  events?: { record: EventRecord; from: number };
}

/** A parameter of the query, or a header. */
export interface Parameter {
  about: string;
  pattern: string;
}

/** One call of the API: it is routed, checked, authorized, and described by this. */
export interface Route {
  method: "GET" | "POST" | "DELETE";
  /** With at most one `{set}` or `{operation}`. */
  path: string;
  summary: string;
  /** null: everyone that may connect. */
  right: Right | null;
  body: SchemaName | null;
  query?: Readonly<Record<string, Parameter>>;
  headers?: Readonly<Record<string, Parameter>>;
  /** The caller decides how long the call waits: it does not count as one that is being worked on. */
  waits?: true;
  /** By status; null: not a JSON document. Every call may also return a problem. */
  answers: Readonly<Record<number, SchemaName | null>>;
  handle(this: void, call: RouteCall<SchemaName | null>, context: RouteContext): RouteAnswer | Promise<RouteAnswer>;
}

/** A route whose `handle` gets a body of exactly its schema. */
export function route<B extends SchemaName | null>(
  it: Omit<Route, "body" | "handle"> & {
    body: B;
    handle(this: void, call: RouteCall<B>, context: RouteContext): RouteAnswer | Promise<RouteAnswer>;
  },
): Route {
  return it;
}
