import assert from "node:assert/strict";
import test from "node:test";
import { checkPlugin } from "holdstill/conformance";

// The suite that every plugin of holdstill is checked with, on what conformance.json sets up.
test("the plugin conforms to the contract", async () => {
  const { checks } = await checkPlugin(import.meta.dirname);
  assert.deepEqual(
    checks.filter(({ status }) => status === "failed"),
    [],
  );
});
