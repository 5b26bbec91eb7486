import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { generated } from "#tools/generated.js";

test("the committed types and documents are what the schemas generate", async () => {
  for (const [file, text] of Object.entries(await generated())) {
    assert.equal(readFileSync(file, "utf8"), text, `${path.basename(file)} is stale: npm run generate`);
  }
});
