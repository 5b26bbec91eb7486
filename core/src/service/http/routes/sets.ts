import { HoldstillError } from "../../../base/errors/error.js";
import type { SnapshotSet } from "../../../base/schema/types.js";
import { errorOfFault } from "../problem.js";
import { demandOwn } from "../rights.js";
import { type RouteCall, type Route, route } from "../route.js";
import type { SchemaName } from "../../../base/schema/validate.js";
import { timeoutParameter, timeoutOf } from "../long-poll.js";

/** Sets that exist. `{set}` is an id, a unique prefix of one, a name, or `latest`. */
export const setRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/sets",
    summary: "The sets, oldest first, and the records that cannot be read",
    right: "read",
    body: null,
    answers: { 200: "service#/$defs/sets" },
    handle: ({ engine }) => ({ status: 200, body: engine.list() }),
  }),
  route({
    method: "GET",
    path: "/v1/sets/{set}",
    summary: "The record of a set",
    right: "read",
    body: null,
    answers: { 200: "snapshot-set" },
    handle: ({ engine, key }) => ({ status: 200, body: engine.show(key) }),
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/expose",
    summary: "Makes the contents readable; `exposed` in the response has the paths",
    right: "create",
    body: null,
    answers: { 200: "snapshot-set" },
    handle: async (call) => ({ status: 200, body: await call.engine.expose(own(call, "expose").id) }),
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/unexpose",
    summary: "Undoes expose",
    right: "create",
    body: null,
    answers: { 200: "snapshot-set" },
    handle: async (call) => ({ status: 200, body: await call.engine.unexpose(own(call, "unexpose").id) }),
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/verify",
    summary: "The writers start their applications on the contents; `verified` in the response has the results",
    right: "create",
    body: null,
    answers: { 200: "snapshot-set" },
    handle: async (call) => ({ status: 200, body: await call.engine.verify(own(call, "verify").id) }),
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/repair",
    summary: "The writers repair forks of the snapshots, if that was put off or has failed",
    right: "create",
    body: null,
    answers: { 200: "snapshot-set" },
    handle: async (call) => ({ status: 200, body: await call.engine.repair(own(call, "repair").id) }),
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/complete",
    summary: "Notifies the writers of the result of the backup",
    right: "create",
    body: "service#/$defs/completion",
    answers: { 200: "service#/$defs/completed" },
    async handle(call) {
      const { type = "copy", ...result } = call.body;
      const { id } = own(call, "complete");
      return { status: 200, body: await call.engine.complete(id, { type, ...result }) };
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
    summary: "Keeps the set while the client waits: until the time is up, or the set is gone (404)",
    right: "create",
    body: null,
    waits: true,
    query: { timeout: timeoutParameter },
    answers: { 200: "service#/$defs/lease" },
    async handle(call, { leases }) {
      const { id, lease } = own(call, "keep");
      if (lease === undefined) throw unleased(id);
      await leases.attend(id, timeoutOf(call.query), call.gone);
      return { status: 200, body: leases.renew(call.engine.show(id).id) ?? { set: id, expiresAt: null } };
    },
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/keep",
    summary: "Unexposes the set, and ends its lease: the set stays",
    right: "create",
    body: null,
    answers: { 200: "snapshot-set" },
    async handle(call, { leases }) {
      const set = await call.engine.keep(own(call, "keep").id);
      await leases.forget(set.id);
      return { status: 200, body: set };
    },
  }),
  route({
    method: "DELETE",
    path: "/v1/sets/{set}/lease",
    summary: "Gives up the lease: the set is unexposed and deleted now",
    right: "create",
    body: null,
    answers: { 200: "service#/$defs/deleted" },
    async handle(call, { leases }) {
      const { id, lease } = own(call, "end");
      if (lease === undefined) throw unleased(id);
      await call.engine.store.audit.note(call.peer.mark, "lease", { id });
      const failure = await leases.giveUp(id, "its requester gave up the lease");
      if (failure !== null) throw errorOfFault(failure);
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
    async handle({ engine, key }, { leases }) {
      const { id, snapshots } = await engine.remove(key);
      await leases.forget(id);
      const unseen = snapshots.map(({ snapshot }) => snapshot.id);
      return { status: 200, body: { deleted: id, ...(unseen.length > 0 ? { unseen } : {}) } };
    },
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/restore-plan",
    summary: "What a restore would do; changes nothing",
    right: "read",
    body: "service#/$defs/restoreRequest",
    answers: { 200: "service#/$defs/restorePlan" },
    handle({ engine, key, body: { components, to = null, contents } }) {
      return { status: 200, body: engine.planRestore(key, components, to, contents) };
    },
  }),
  route({
    method: "POST",
    path: "/v1/sets/{set}/restore",
    summary: "Puts data back, and keeps the present data. It continues if the client disconnects",
    right: "restore",
    body: "service#/$defs/restoreRequest",
    answers: { 200: "service#/$defs/restored" },
    async handle({ engine, key, body: { components, to = null, contents } }) {
      return { status: 200, body: await engine.restore(engine.planRestore(key, components, to, contents)) };
    },
  }),
];

function own(call: RouteCall<SchemaName | null>, what: string): SnapshotSet {
  const set = call.engine.show(call.key);
  demandOwn(call.peer, set.requester, `${what} set ${set.id}`);
  return set;
}

function unleased(set: string): HoldstillError {
  const problem = `Set ${set} has no lease.`;
  return new HoldstillError("E_USAGE", { problem, hint: "It stays until it is deleted." });
}
