import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { thisHost } from "#core/host/manifest/host.js";
import { repository } from "../support/repository.js";
import { tempDir } from "../support/storage/temp.js";

test("the host knows its version, its bundled plugins, and looks for programs where root's shell does", (t) => {
  const own = tempDir(t);
  const host = thisHost({ PATH: `${own}:relative:/sbin:/no/such/folder` });
  const { version } = JSON.parse(readFileSync(path.join(repository, "core/package.json"), "utf8")) as {
    version: string;
  };
  assert.equal(host.version, version);
  assert.equal(host.bundled, path.join(repository, "plugins"));
  assert.deepEqual(host.path.slice(0, 2), [own, "/sbin"]);
  assert.ok(["/usr/sbin", "/usr/bin"].every((folder) => host.path.includes(folder)));
  assert.ok(host.path.every((folder) => path.isAbsolute(folder) && folder !== "/no/such/folder"));
});
