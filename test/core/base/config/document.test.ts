import assert from "node:assert/strict";
import test from "node:test";
import { parseText } from "#core/base/config/document.js";

test("every value knows its line, through lists, maps and aliases", () => {
  const { value, findings, lineOf } = parseText(
    "f.yaml",
    "# note\nplugins:\n  - &a\n    use: x\n  - *a\nlog:\n  level: info\n",
  );
  assert.deepEqual(value, { plugins: [{ use: "x" }, { use: "x" }], log: { level: "info" } });
  assert.deepEqual(findings, []);
  assert.equal(lineOf("/plugins"), 2);
  assert.equal(lineOf("/plugins/0/use"), 4);
  assert.equal(lineOf("/plugins/1/use"), 4);
  assert.equal(lineOf("/log/level"), 7);
  assert.equal(lineOf("/log/nothing/of/the/kind"), 6);
});

test("a key that comes twice is a finding, in YAML and in JSON, and the rest is still read", () => {
  for (const [file, text] of [
    ["f.yaml", "log:\n  level: info\n  level: warn\nstateDir: /s\n"],
    ["f.json", '{"log": {\n"level": "info",\n\t"level": "warn"}, "stateDir": "/s"}'],
  ] as const) {
    const { value, findings } = parseText(file, text);
    const expected = "each property once";
    assert.deepEqual(findings, [{ file, line: 3, pointer: "/log/level", seen: 'property "level" twice', expected }]);
    assert.equal((value as { stateDir: string }).stateDir, "/s");
  }
});

test("what JSON says is read as it is, and has its lines as soon as they are asked for", () => {
  const value = { a: 1e3, "b\\": ['x": {', { "": null, "~/": '"a":' }], __proto: false };
  const { value: read, findings, lineOf } = parseText("f.json", JSON.stringify(value, null, 1));
  assert.deepEqual([read, findings], [value, []]);
  assert.deepEqual(
    ["/a", "/b\\/0", "/b\\/1/~0~1", "/__proto"].map((pointer) => lineOf(pointer)),
    [2, 4, 7, 10],
  );
  for (const [levels, faults] of [
    [60, 0],
    [2000, 1],
  ] as const)
    assert.equal(parseText("f.json", "[".repeat(levels) + "]".repeat(levels)).findings.length, faults);
});

test("bad syntax and tabs are findings with a line", () => {
  for (const [file, text, line] of [
    ["f.yaml", "a: 1\nb: [1, 2\n", 3],
    ["f.yaml", "a:\n\tb: 1\n", 2],
    ["f.yaml", "a: 1\n---\nb: 2\n", 2],
    ["f.yaml", "a: *nobody\n", 1],
    ["f.yaml", "a: !!js/function x\n", 1],
    ["f.json", '{"a": 1,\n"b": }', 2],
    ["f.json", "{\n# a comment\n}", 2],
  ] as const) {
    const { value, findings } = parseText(file, text);
    assert.equal(value, undefined, text);
    assert.equal(findings[0]?.line, line, text);
  }
});

test("a document that contains itself is a finding and not a crash", () => {
  const { value, findings } = parseText("f.yaml", "limits: {}\na: &a [*a]\nb: &b {c: [1, {d: *b}]}\n");
  assert.equal(value, undefined);
  assert.deepEqual(
    findings.map(({ line, pointer, seen }) => [line, pointer, seen]),
    [
      [2, "/a/0", "*a"],
      [3, "/b/c/1/d", "*b"],
    ],
  );
});

test("a document that grows without measure when it is read is a finding and not a crash", () => {
  const bomb = ["a0: &a0 [x, x]", ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`)];
  for (const text of [bomb.join("\n"), "[".repeat(100_000)]) {
    const { value, findings } = parseText("f.yaml", text);
    assert.equal(value, undefined);
    assert.ok(findings.length > 0);
  }
});

test("an empty document is an empty object", () => {
  for (const [file, text] of [
    ["f.yaml", ""],
    ["f.yaml", "# nothing yet\n"],
    ["f.json", " "],
  ] as const) {
    const { value, findings } = parseText(file, text);
    assert.deepEqual([value, findings], [{}, []]);
  }
});

test("a text that would take minutes or gigabytes is refused, or its first errors are reported", () => {
  const texts: Record<string, string> = {
    "a long text": `a: ${"x".repeat(2_000_000)}`,
    "many equal keys": "a: 1\n".repeat(150_000),
    "many pairs of keys": Array.from({ length: 60_000 }, (_, n) => `k${n}: 1\nk${n}: 2\n`).join(""),
    "many aliases": `a: &a [1]\nb: [${"*a,".repeat(50_000)}*a]\n`,
    "aliases of aliases": Array.from({ length: 40 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`).reduce(
      (text, line) => `${text}\n${line}`,
      "a0: &a0 [x]",
    ),
    "many errors": "- [\n".repeat(100) + "}: {\n".repeat(50_000),
  };
  for (const [name, text] of Object.entries(texts)) {
    const { findings } = parseText("/x.yaml", text);
    assert.ok(findings.length > 0 && findings.length <= 400, `${name}: ${findings.length}`);
  }
});
