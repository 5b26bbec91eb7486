import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { FolderHandle } from "#core/os/path/folder.js";
import { readRegularFile } from "#core/os/path/read-file.js";
import { walk } from "#core/os/path/walk.js";
import { counted } from "../../../support/storage/raced-syscalls.js";
import { tempDir } from "../../../support/storage/temp.js";

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, count) => all + count, 0);

test("operations make no more calls to the kernel than they need", (t) => {
  const dir = tempDir(t);
  mkdirSync(path.join(dir, "a/b"), { recursive: true });
  writeFileSync(path.join(dir, "a/b/file"), "content");
  symlinkSync("/a/b", path.join(dir, "link"));
  const way = sum(counted((sys) => walk(dir, {}, sys)[Symbol.dispose]()));
  /** Without the way to the folder. */
  const cost = (act: (folder: FolderHandle) => unknown): number => {
    const counts = counted((sys) => {
      using folder = walk(dir, {}, sys);
      const result = act(folder);
      if (typeof result === "object" && result !== null && Symbol.dispose in result)
        (result as Disposable)[Symbol.dispose]();
    });
    return sum(counts) - way;
  };
  const costs = {
    "walk, for each part": (way - 4) / (dir.split("/").length - 1),
    "open a/b, owners checked": cost((folder) => folder.open("a/b")),
    "open a/b, any owner": cost((folder) => folder.open("a/b", { owners: "any" })),
    "find a": cost((folder) => folder.find("a")),
    "make a folder": cost((folder) => folder.mkdir("new")),
    "make a file": cost((folder) => folder.create("file")),
    "rename, and see what was renamed": cost((folder) => {
      const found = folder.find("file");
      if (found !== null) folder.renameTo("file", folder, "other", "new", found);
    }),
    "read a/b/file": cost((folder) => {
      using file = folder.file("a/b/file");
      return void file.read(100);
    }),
    "read a file by its path": cost(({ sys }) => void readRegularFile(path.join(dir, "a/b/file"), 100, sys)),
  };
  assert.deepEqual(costs, {
    "walk, for each part": 3,
    "open a/b, owners checked": 7,
    "open a/b, any owner": 2,
    "find a": 1,
    "make a folder": 5,
    "make a file": 2,
    "rename, and see what was renamed": 3,
    "read a/b/file": 16,
    "read a file by its path": 9,
  });
});
