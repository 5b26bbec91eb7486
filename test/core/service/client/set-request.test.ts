/** What a client asks the service for. */
import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { documentOf } from "#core/service/client/set-request.js";

test("a relative target is resolved for the service, once", () => {
  const targets = ["srv", path.resolve("srv"), "writer:pg"];
  assert.deepEqual(documentOf({ targets, name: "nightly" }), {
    targets: [path.resolve("srv"), "writer:pg"],
    name: "nightly",
  });
});

test("a retention is refused, and not lost on the way to a service that does not retain", () => {
  assert.throws(() => documentOf({ targets: ["/srv"], retainUntil: "2027-01-31T00:00:00Z" }), { code: "E_USAGE" });
});
