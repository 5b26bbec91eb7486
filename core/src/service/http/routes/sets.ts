import { audit } from "../../../store/audit.js";
import { HoldstillError } from "../../../base/errors/error.js";
import type { SnapshotSet } from "../../../base/schema/types.js";
import { errorOfFault } from "../problem.js";
import { demandOwn } from "../rights.js";
import { type RouteCall, type Route, route } from "../route.js";
import type { SchemaName } from "../../../base/schema/validate.js";
import { waitFor, waitIn } from "../long-poll.js";

/** Sets that exist. `{set}` is an id, a unique beginning of one, a name, or `latest`. */
export const setRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/sets",
    summary: "The sets, oldest first; records that cannot be read beside them",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/sets" },
    handle: ({ requester }) => ({ status: 200, body: requester.list() }),
  }),
  route({
    method: "GET",
    path: "/v1/sets/{set}",
    summary: "The record of a set",
    right: "read",
    body: null,
    answers: { 200: "snapshot-set" },
    handle: ({ requester, key }) => ({ status: 200, body: requester.show(key) }),
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/expose",
    summary: "Makes the snapshots readable; `exposed` of the answer says where",
    right: "create",
    body: null,
    answers: { 200: "snapshot-set" },
    handle: async (call) => ({ status: 200, body: await call.requester.expose(own(call, "expose").id) }),
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/unexpose",
    summary: "Undoes expose",
    right: "create",
    body: null,
    answers: { 200: "snapshot-set" },
    handle: async (call) => ({ status: 200, body: await call.requester.unexpose(own(call, "unexpose").id) }),
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/verify",
    summary: "Has the writers start their applications on the snapshots; `verified` of the answer says what they found",
    right: "create",
    body: null,
    answers: { 200: "snapshot-set" },
    handle: async (call) => ({ status: 200, body: await call.requester.verify(own(call, "verify").id) }),
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/complete",
    summary: "Tells the writers how the backup went",
    right: "create",
    body: "service#/$defs/completion",
    answers: { 200: "service#/$defs/completed" },
    async handle(call) {
      const { succeeded, type = "copy" } = call.body;
      const { id } = own(call, "complete");
      return { status: 200, body: await call.requester.complete(id, { succeeded, type }) };
    },
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/lease",
    summary: "Renews the lease of a set that has one",
    right: "create",
    body: null,
    answers: { 200: "service#/$defs/lease" },
    handle(call, { leases }) {
      const { id } = own(call, "renew the lease of");
      const state = leases.renew(id);
      if (state === null) throw unleased(id);
      return { status: 200, body: state };
    },
  }),
  route({
    method: "GET",
    path: "/v1/sets/{set}/lease",
    summary: "The set lives while you wait for the answer: at the end of the time, or when the set is gone (404)",
    right: "create",
    body: null,
    query: { timeout: waitFor },
    answers: { 200: "service#/$defs/lease" },
    async handle(call, { leases }) {
      const { id, lease } = own(call, "keep");
      if (lease === undefined) throw unleased(id);
      await leases.attend(id, waitIn(call.query), call.gone);
      return { status: 200, body: leases.renew(call.requester.show(id).id) ?? { set: id, expiresAt: null } };
    },
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/keep",
    summary: "Unexposes the set, and lets it stay: its lease is over",
    right: "create",
    body: null,
    answers: { 200: "snapshot-set" },
    async handle(call, { leases }) {
      const set = await call.requester.keep(own(call, "keep").id);
      leases.forget(set.id);
      return { status: 200, body: set };
    },
  }),
  route({
    method: "DELETE",
    path: "/v1/sets/{set}/lease",
    summary: "Gives the lease up: the set is unexposed and deleted now",
    right: "create",
    body: null,
    answers: { 200: "service#/$defs/deleted" },
    async handle(call, { leases, state }) {
      const { id, lease } = own(call, "end");
      if (lease === undefined) throw unleased(id);
      audit({ state, requester: call.peer.mark }, "lease", { id });
      const left = await leases.giveUp(id, "its requester gave it up");
      if (left !== null) throw errorOfFault(left);
      return { status: 200, body: { deleted: id } };
    },
  }),
  route({
    method: "DELETE",
    path: "/v1/sets/{set}",
    summary: "Removes the snapshots, then the record",
    right: "delete",
    body: null,
    answers: { 200: "service#/$defs/deleted" },
    async handle({ requester, key }, { leases }) {
      const { id } = await requester.remove(key);
      leases.forget(id);
      return { status: 200, body: { deleted: id } };
    },
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/restore-plan",
    summary: "What a restore would do; looks only",
    right: "read",
    body: "service#/$defs/restoreRequest",
    answers: { 200: "service#/$defs/restorePlan" },
    async handle({ requester, key, body: { components, to = null } }) {
      return { status: 200, body: await requester.planRestore(key, components, to) };
    },
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/restore",
    summary: "Puts data back, and keeps what was there. Goes on when you hang up",
    right: "restore",
    body: "service#/$defs/restoreRequest",
    answers: { 200: "service#/$defs/restored" },
    async handle({ requester, key, body: { components, to = null } }) {
      return { status: 200, body: await requester.restore(await requester.planRestore(key, components, to)) };
    },
  }),
];

function own(call: RouteCall<SchemaName | null>, what: string): SnapshotSet {
  const set = call.requester.show(call.key);
  demandOwn(call.peer, set.requester, `${what} set ${set.id}`);
  return set;
}

function unleased(set: string): HoldstillError {
  const problem = `Set ${set} has no lease.`;
  return new HoldstillError("E_USAGE", { problem, hint: "It stays until it is deleted." });
}
