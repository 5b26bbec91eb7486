import assert from "node:assert/strict";
import test from "node:test";
import { notAllowed } from "#core/cluster/allow.js";
import { ClusterKeys } from "#core/cluster/keys.js";

test("without an entry in the config, others may have nothing captured here", () => {
  assert.deepEqual(notAllowed(["/srv", "writer:pg"], []), ["/srv", "writer:pg"]);
});

test("a path allows itself and what is below it, and a writer itself alone", () => {
  const allow = ["/srv", "writer:pg"];
  assert.deepEqual(notAllowed(["/srv", "/srv/shop", "writer:pg"], allow), []);
  const denied = ["/srv2", "/", "/srv/../etc", "srv", "writer:pg2", "writer:pg/../x", "/dev/sda"];
  assert.deepEqual(notAllowed(denied, allow), denied);
  assert.deepEqual(notAllowed(["/etc"], ["/"]), []);
});

test("a key is found again from its text, and other texts are not keys", () => {
  const keys = new ClusterKeys("/holdstill/v1/");
  for (const key of [
    { type: "plan", set: "s" },
    { type: "requester", set: "s" },
    { type: "verdict", set: "s" },
    { type: "host", host: "app1", set: "s" },
    { type: "presence", host: "app1" },
  ] as const)
    assert.deepEqual(keys.parse(keys.of(key)), key);
  for (const text of [
    "/holdstill/v1/",
    "/holdstill/v1/plan/",
    "/holdstill/v1/plan/s/x",
    "/other/plan/s",
    "/holdstill/v1/host/a/",
  ])
    assert.equal(keys.parse(text), null, text);
});
