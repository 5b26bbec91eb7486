import { demandOwn, isOwn } from "../rights.js";
import type { Operations } from "../../operations/operations.js";
import type { Peer } from "../peer.js";
import { type Route, route } from "../route.js";
import { timeoutParameter, timeoutOf } from "../long-poll.js";

/** Operations: sets while they are taken. */
export const operationRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/v1/sets",
    summary: "Takes a set, or undoes everything. It starts at once, and continues without a reader",
    right: "create",
    body: "service#/$defs/setRequest",
    headers: {
      "idempotency-key": {
        about: "The same key with the same request returns the operation of the first request.",
        pattern: "^[\\x21-\\x7e]{1,128}$",
      },
    },
    answers: { 202: "service#/$defs/operation" },
    async handle({ peer, body, header }, { operations }) {
      const operation = await operations.begin(peer, body, header("idempotency-key"));
      return { status: 202, body: operation, headers: { location: `/v1/operations/${operation.id}` } };
    },
  }),
  route({
    method: "GET",
    path: "/v1/operations",
    summary: "The last operations, oldest first",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/operations" },
    handle: (_, { operations }) => ({ status: 200, body: { operations: operations.list() } }),
  }),
  route({
    method: "GET",
    path: "/v1/operations/{operation}",
    summary: "The state of an operation",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/operation" },
    handle: ({ key }, { operations }) => ({ status: 200, body: operations.find(key).document }),
  }),
  route({
    method: "GET",
    path: "/v1/operations/{operation}/await",
    summary: "Waits for its end: 200 with the result, or 202 if the time is up first",
    right: "read",
    body: null,
    waits: true,
    query: { timeout: timeoutParameter },
    answers: { 200: "service#/$defs/operation", 202: "service#/$defs/operation" },
    async handle({ key, peer, query, gone }, { operations }) {
      const limitMs = timeoutOf(query);
      const { running } = operations.find(key);
      const unwatch = watchOwn(operations, peer, key);
      try {
        await running?.wait(limitMs, gone);
      } finally {
        unwatch();
      }
      const { document } = operations.find(key);
      return { status: document.state.type === "ended" ? 200 : 202, body: document };
    },
  }),
  route({
    method: "GET",
    path: "/v1/operations/{operation}/events",
    summary: "All its events, from the first on, as server-sent events; `ended` is the last",
    right: "read",
    body: null,
    waits: true,
    headers: { "last-event-id": { about: "Continue after the event with this id.", pattern: "^[0-9]{1,9}$" } },
    answers: { 200: null },
    handle({ key, peer, header, gone }, { operations }) {
      const record = operations.eventsOf(key);
      const unwatch = watchOwn(operations, peer, key);
      gone.addEventListener("abort", unwatch, { once: true });
      const from = Number(header("last-event-id") ?? 0) + 1;
      return { status: 200, body: null, events: { record, from } };
    },
  }),
  route({
    method: "DELETE",
    path: "/v1/operations/{operation}",
    summary: "Interrupts it: everything is undone in order. An ended operation is not changed",
    right: "create",
    body: null,
    answers: { 202: "service#/$defs/operation" },
    async handle({ key, peer }, { operations, engine }) {
      const { document, running } = operations.find(key);
      demandOwn(peer, document.requester, `interrupt operation ${key}`);
      if (running !== null && !running.isOver) {
        await engine.store.audit.note(peer.mark, "cancel", { id: key });
        running.interrupt("a request to the service");
      }
      return { status: 202, body: operations.find(key).document };
    },
  }),
];

/** A reader with another user's rights sees the events, and does not prolong the lease of the set. */
const watchOwn = (operations: Operations, peer: Peer, key: string): (() => void) =>
  isOwn(peer, operations.find(key).document.requester) ? operations.watch(key) : () => undefined;
