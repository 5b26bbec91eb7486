import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { thisHost } from "#core/host/manifest/host.js";
import { repository } from "../support/repository.js";

test("the host knows its version, its bundled plugins, and looks for programs where root's shell does", () => {
  const host = thisHost({ PATH: "/opt/bin:relative:/sbin" });
  const { version } = JSON.parse(readFileSync(path.join(repository, "core/package.json"), "utf8")) as {
    version: string;
  };
  assert.equal(host.version, version);
  assert.equal(host.bundled, path.join(repository, "plugins"));
  assert.deepEqual(host.path, ["/opt/bin", "/sbin", "/usr/sbin"]);
});
