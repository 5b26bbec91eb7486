/** What may be asked for. */
import assert from "node:assert/strict";
import test from "node:test";
import { checkRequest } from "#core/plan/request.js";

const targets = ["/srv"];
const lease = { id: "00000000-0000-0000-0000-000000000000", pid: 1, since: "2027-01-01T00:00:00Z" };
const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`key-${at}`, "value"]));

test("labels have a limit, so that they fit into what a storage has for them", () => {
  checkRequest({ targets, name: "n".repeat(128), tags: { ["k".repeat(128)]: "v".repeat(1024), ...many(63) } });
  const tooLong = [{ name: "n".repeat(129) }, { tags: { ["k".repeat(129)]: "" } }, { tags: { k: "v".repeat(1025) } }];
  for (const request of [...tooLong, { tags: many(65) }])
    assert.throws(() => checkRequest({ targets, ...request }), { code: "E_USAGE" });
});

test("a set is retained until a date, and only if its life does not depend on a lease", () => {
  const retainUntil = "2027-01-31T00:00:00Z";
  checkRequest({ targets, retainUntil });
  assert.throws(() => checkRequest({ targets, retainUntil: "soon" }), { code: "E_USAGE" });
  assert.throws(() => checkRequest({ targets, retainUntil, lease }), { code: "E_USAGE" });
});
