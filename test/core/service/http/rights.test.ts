/** What the config allows to whom; test/features/service/rights.test.ts has the same with real users. */
import assert from "node:assert/strict";
import test from "node:test";
import { Rights, demandOwn } from "#core/service/http/rights.js";
import type { ServiceSettings } from "#core/base/config/settings.js";
import type { Accounts } from "#core/base/trust/accounts.js";

type Peer = Parameters<Rights["of"]>[0];

const accounts: Accounts = {
  users: [{ name: "ann", uid: 64_001, gid: 64_001 }],
  groups: [{ name: "backup", gid: 64_010, members: [] }],
};
const peer = (uid: number, ...groups: number[]): Peer => ({ mark: { uid, gid: uid, pid: 1 }, groups: new Set(groups) });
const rights = (named: Partial<ServiceSettings["rights"]>): Rights =>
  new Rights({ rights: { read: [], create: [], delete: [], restore: [], ...named } } as ServiceSettings, accounts);

test("a right is of the users and groups that are named, by name or by number", () => {
  const all = rights({ create: ["user:ann", "user:64002"], delete: ["group:backup"] });
  assert.deepEqual(all.of(peer(64_001)), ["read", "create"], "each right includes read");
  assert.deepEqual(all.of(peer(64_002, 64_010)), ["read", "create", "delete"]);
  assert.deepEqual(all.of(peer(64_010)), [], "the number of a group is not that of a user");
  assert.deepEqual(all.of(peer(0)), ["read", "create", "delete", "restore"]);
});

test("what is not allowed is E_FORBIDDEN with the right that is missing", () => {
  const all = rights({ read: ["user:ann"] });
  all.demand(peer(64_001), "read", "list");
  assert.throws(() => all.demand(peer(64_001), "delete", "delete"), {
    code: "E_FORBIDDEN",
    details: { uid: 64_001, what: "delete", right: "delete" },
  });
});

test("a set belongs to its requester, and to root", () => {
  demandOwn(peer(64_001), { uid: 64_001 } as never, "delete");
  demandOwn(peer(0), undefined, "delete");
  assert.throws(() => demandOwn(peer(64_002), { uid: 64_001 } as never, "delete"), { code: "E_FORBIDDEN" });
  assert.throws(() => demandOwn(peer(64_002), undefined, "delete"), { code: "E_FORBIDDEN" });
});

test("a name that no account has is refused when the service starts", () => {
  assert.throws(() => rights({ read: ["user:bob"] }), { code: "E_USAGE" });
  assert.throws(() => rights({ read: ["group:ann"] }), { code: "E_USAGE" });
});
