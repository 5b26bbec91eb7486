import assert from "node:assert/strict";
import test from "node:test";
import { Lines, LONGEST_LINE } from "#core/host/isolation/host/output.js";

const cut = (...chunks: readonly string[]): string[] => {
  const told: string[] = [];
  const output = new Lines((line) => told.push(line));
  for (const chunk of chunks) output.take(chunk);
  output.end();
  return told;
};

test("what a plugin prints is told line by line, however it is cut into pieces", () => {
  assert.deepEqual(cut("one\ntw", "o\n\n  \n", "three\n"), ["one", "two", "three"]);
});

test("the last line is told, too, if it has no line end", () => {
  assert.deepEqual(cut("one\n", "no more sp", "ace"), ["one", "no more space"]);
});

test("a line that does not end is told as far as it is kept", () => {
  assert.deepEqual(cut("x".repeat(LONGEST_LINE + 1), "y\n"), ["x".repeat(LONGEST_LINE), "y"]);
});
