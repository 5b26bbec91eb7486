import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { readIfExists, removeDurably, writeDurably } from "#kit/durable-file.js";
import { EntryFolder } from "#kit/entry-folder.js";
import { Owed } from "#kit/owed.js";
import { tempDir } from "../../support/storage/temp.js";

test("a file is written as a whole, for its owner only, and its folder is made", (t) => {
  const file = path.join(tempDir(t), "new/folder/file.json");
  writeDurably(file, "first and longer");
  writeDurably(file, "second");
  assert.equal(readIfExists(file), "second");
  assert.deepEqual([statSync(file).mode & 0o777, statSync(path.dirname(file)).mode & 0o777], [0o600, 0o700]);
  assert.deepEqual(readdirSync(path.dirname(file)), ["file.json"]);
});

test("a write that fails leaves the old file, and no draft", (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, "file");
  mkdirSync(file);
  assert.throws(() => writeDurably(file, "text"), { code: "EISDIR" });
  assert.deepEqual(readdirSync(dir), ["file"]);
});

test("a file that does not exist is null, and its removal a success", (t) => {
  const file = path.join(tempDir(t), "none/file");
  assert.equal(readIfExists(file), null);
  removeDurably(file);
});

test("what is owed outlives the process that wrote it, until it is settled", (t) => {
  const dir = tempDir(t);
  new Owed<string[]>(dir, "Set-1").write(["one", "two"]);
  assert.equal(readFileSync(path.join(dir, "owed/Set-1.json"), "utf8"), '["one","two"]');
  const later = new Owed<string[]>(dir, "Set-1");
  assert.deepEqual(later.read(), ["one", "two"]);
  assert.equal(new Owed(dir, "Set-2").read(), null);
  later.settle();
  later.settle();
  assert.equal(later.read(), null);
});

test("an entry that cannot be read, or has another id, affects no other", (t) => {
  const dir = path.join(tempDir(t), "registry");
  const entries = new EntryFolder<{ id: string; version: number }>(dir, ({ version }) => version === 1);
  assert.deepEqual(entries.ids(), []);
  entries.write({ id: "a.0", version: 1 });
  writeFileSync(path.join(dir, "b.0.json"), "{");
  writeFileSync(path.join(dir, "c.0.json"), '{"id":"a.0","version":1}');
  writeFileSync(path.join(dir, "d.0.json"), '{"id":"d.0","version":2}');
  assert.deepEqual(entries.ids(), ["a.0", "b.0", "c.0", "d.0"]);
  assert.deepEqual(
    entries.ids().map((id) => entries.read(id)),
    [{ id: "a.0", version: 1 }, undefined, undefined, undefined],
  );
  entries.remove("b.0");
  assert.deepEqual(entries.ids(), ["a.0", "c.0", "d.0"]);
});
