/** The description of the API, as linters and generators of clients read it. */
import assert from "node:assert/strict";
import test from "node:test";
import { openApi } from "#core/service/http/openapi.js";
import { routes } from "#core/service/http/routes/routes.js";

interface Described {
  operationId: string;
  summary: string;
  description: string;
  responses: Record<string, { description: string; content: object }>;
}

test("each call has an id of its own, a description, and a description of each answer, also of errors", () => {
  const { paths, security, info } = openApi(routes) as {
    paths: Record<string, Record<string, Described>>;
    security: unknown;
    info: { license: object };
  };
  assert.deepEqual(security, [], "the kernel reports the user: nothing is sent");
  assert.ok("identifier" in info.license);
  const calls = Object.values(paths).flatMap((path) => Object.values(path));
  assert.equal(calls.length, routes.length);
  assert.equal(new Set(calls.map(({ operationId }) => operationId)).size, calls.length);
  for (const { operationId, summary, description, responses } of calls) {
    assert.ok(summary !== "" && description !== "", operationId);
    assert.ok("4XX" in responses && "5XX" in responses, operationId);
    for (const [status, answer] of Object.entries(responses)) {
      assert.notEqual(answer.description, "", `${operationId} ${status}`);
      assert.ok(Object.keys(answer.content).length > 0, `${operationId} ${status}`);
    }
  }
});
