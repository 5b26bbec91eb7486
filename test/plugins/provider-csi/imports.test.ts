import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { repository } from "../../support/repository.js";

test("gRPC is imported in one file of the plugin", () => {
  const sources = path.join(repository, "plugins/provider-csi/src");
  const importers = readdirSync(sources).filter((file) =>
    /from "@grpc\//.test(readFileSync(path.join(sources, file), "utf8")),
  );
  assert.deepEqual(importers, ["connection.ts"]);
});
