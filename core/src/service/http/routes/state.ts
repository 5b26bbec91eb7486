import { HoldstillError, toFault } from "../../../base/errors/error.js";
import { fingerprintOf } from "../../operations/fingerprint.js";
import { type Route, route } from "../route.js";

/** What there is, and what would be. */
export const stateRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/health",
    summary: "Whether it works, its limits, and what you may do",
    right: null,
    body: null,
    answers: { 200: "service#/$defs/health" },
    handle: ({ peer }, { health }) => ({ status: 200, body: health(peer) }),
  }),
  route({
    method: "GET",
    path: "/v1/writers",
    summary: "Every writer, what it owns, and what it did last",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/writers" },
    handle: async ({ requester }) => ({ status: 200, body: { writers: await requester.writers() } }),
  }),
  route({
    method: "GET",
    path: "/v1/providers",
    summary: "Every provider, and the snapshots that really exist",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/providers" },
    handle: async ({ requester }) => ({ status: 200, body: { providers: await requester.providers() } }),
  }),
  route({
    method: "GET",
    path: "/v1/plugins",
    summary: "Every plugin that was found, and why it was or wasn't taken",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/plugins" },
    async handle({ requester }) {
      const { found, candidates, problems, warnings } = await requester.plugins();
      const named = [...candidates.values()].flat();
      const others = found.filter(({ dir }) => named.every((one) => one.dir !== dir));
      return {
        status: 200,
        body: { plugins: [...named, ...others], problems: problems.map((one) => toFault(one)), warnings },
      };
    },
  }),
  route({
    method: "GET",
    path: "/v1/history",
    summary: "Past transactions, also those that failed, and why, oldest first",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/history" },
    handle: async ({ requester }) => ({ status: 200, body: { history: await requester.history() } }),
  }),
  route({
    method: "GET",
    path: "/v1/leftovers",
    summary: "What transactions that died have left; looks only",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/leftovers" },
    handle: async ({ requester }) => ({ status: 200, body: { leftovers: await requester.leftovers() } }),
  }),
  route({
    method: "POST",
    path: "/v1/recovery",
    summary: "Undoes those of the leftovers that are named and still there",
    right: "delete",
    body: "service#/$defs/leftovers",
    answers: { 200: "service#/$defs/recovered" },
    async handle({ requester, body }) {
      // What is undone is what is found now: what somebody sends is compared with it, and nothing more.
      const named = body.leftovers.map(fingerprintOf);
      const meant = (await requester.leftovers()).filter((one) => named.includes(fingerprintOf(one)));
      return { status: 200, body: await requester.recover(meant) };
    },
  }),
  route({
    method: "POST",
    path: "/v1/page",
    summary: "Another address of the page, which works once, in the browser that opens it first",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/page" },
    handle(_, { invite }) {
      const address = invite();
      if (address !== null) return { status: 200, body: { address } };
      throw new HoldstillError("E_USAGE", { problem: "This service has no page.", hint: "Start it with --page." });
    },
  }),
  route({
    method: "POST",
    path: "/v1/plans",
    summary: "What taking a set would do; touches nothing",
    right: "read",
    body: "service#/$defs/planRequest",
    answers: { 200: "service#/$defs/plan" },
    handle: async ({ requester, body, gone }) => ({ status: 200, body: await requester.plan(body, { signal: gone }) }),
  }),
];
