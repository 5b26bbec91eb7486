import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { repository } from "../support/repository.js";

const source = path.join(repository, "core/src");

/** Names that two files export, each with the reason. */
const allowed: Readonly<Record<string, string>> = {
  Lease: "etcd's service of this name, and that of a set",
};

/** The files that declare each exported name. A name that is only passed on (`export … from`) is not declared. */
function declarations(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const file of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts") || file.endsWith(".d.ts")) continue;
    const text = readFileSync(path.join(source, file), "utf8");
    const names = text.matchAll(
      /^export (?:declare )?(?:async )?(?:function\*?|const|let|class|interface|type|enum) (\w+)/gm,
    );
    // Overloads are several declarations of one name.
    for (const name of new Set([...names].map(([, declared = ""]) => declared))) {
      found.set(name, [...(found.get(name) ?? []), file]);
    }
  }
  return found;
}

test("a name is exported by one file of core/src, so that it means one thing", () => {
  const twice = [...declarations()].filter(([name, files]) => files.length > 1 && !(name in allowed));
  assert.deepEqual(Object.fromEntries(twice), {});
});

test("each allowed name is needed", () => {
  const all = declarations();
  assert.deepEqual(
    Object.keys(allowed).filter((name) => (all.get(name) ?? []).length < 2),
    [],
  );
});
