import { HoldstillError, toFault } from "../../../base/errors/error.js";
import { fingerprintOf } from "../../operations/fingerprint.js";
import { type Route, route } from "../route.js";

/** The state of the service and its plugins, plans, and recovery. */
export const stateRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/health",
    summary: "Whether the service works, its limits, and the rights of the caller",
    right: null,
    body: null,
    answers: { 200: "service#/$defs/health" },
    handle: ({ peer }, { health }) => ({ status: 200, body: health(peer) }),
  }),
  route({
    method: "GET",
    path: "/v1/writers",
    summary: "Every writer, what it owns, and its last freeze",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/writers" },
    handle: async ({ engine }) => ({ status: 200, body: { writers: await engine.writers() } }),
  }),
  route({
    method: "GET",
    path: "/v1/providers",
    summary: "Every provider, and the snapshots that it has",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/providers" },
    handle: async ({ engine }) => ({ status: 200, body: { providers: await engine.providers() } }),
  }),
  route({
    method: "GET",
    path: "/v1/capabilities",
    summary: "What every provider can do for the mounted file systems",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/capabilities" },
    handle: async ({ engine }) => ({ status: 200, body: { capabilities: await engine.capabilities() } }),
  }),
  route({
    method: "GET",
    path: "/v1/plugins",
    summary: "Every plugin found, and why it is used or not",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/plugins" },
    async handle({ engine }) {
      const { found, candidates, problems, warnings } = await engine.plugins();
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
    summary: "Past transactions, oldest first, also failed ones, with the reason",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/history" },
    handle: ({ engine }) => ({ status: 200, body: { history: engine.history() } }),
  }),
  route({
    method: "GET",
    path: "/v1/leftovers",
    summary: "What transactions left after a crash; changes nothing",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/leftovers" },
    handle: async ({ engine }) => ({ status: 200, body: { leftovers: await engine.leftovers() } }),
  }),
  route({
    method: "POST",
    path: "/v1/recovery",
    summary: "Undoes the named leftovers that still exist",
    right: "delete",
    body: "service#/$defs/leftovers",
    answers: { 200: "service#/$defs/recovered" },
    async handle({ engine, body }) {
      // Only what is found now is undone; the request only selects from it.
      const named = body.leftovers.map(fingerprintOf);
      const selected = (await engine.leftovers()).filter((one) => named.includes(fingerprintOf(one)));
      return { status: 200, body: await engine.recover(selected) };
    },
  }),
  route({
    method: "POST",
    path: "/v1/page",
    summary: "A new address of the page, which admits the first browser that opens it",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/page" },
    handle(_, { newPageAddress }) {
      const address = newPageAddress();
      if (address !== null) return { status: 200, body: { address } };
      throw new HoldstillError("E_USAGE", {
        problem: "This service does not serve a page.",
        hint: "Start it with --page.",
      });
    },
  }),
  route({
    method: "POST",
    path: "/v1/plans",
    summary: "What POST /v1/sets would do; changes nothing",
    right: "read",
    body: "service#/$defs/planRequest",
    answers: { 200: "service#/$defs/plan" },
    handle: async ({ engine, body, gone }) => ({ status: 200, body: await engine.plan(body, { signal: gone }) }),
  }),
];
