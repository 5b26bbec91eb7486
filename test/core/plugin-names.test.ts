import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { repository } from "../support/repository.js";

const names = readdirSync(path.join(repository, "plugins"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name.includes("-"))
  .map((entry) => entry.name);

test("the core names none of the bundled plugins: it knows what it needs about a plugin from its manifest", () => {
  assert.ok(names.includes("writer-postgres"));
  const named = ["core/src", "schemas"].flatMap((room) =>
    readdirSync(path.join(repository, room), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(ts|json|html)$/.test(file) && !file.startsWith("samples"))
      .flatMap((file) => {
        const text = readFileSync(path.join(repository, room, file), "utf8");
        return names.filter((name) => text.includes(name)).map((name) => `${room}/${file}: ${name}`);
      }),
  );
  assert.deepEqual(named, []);
});
