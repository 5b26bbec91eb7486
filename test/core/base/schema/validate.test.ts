import assert from "node:assert/strict";
import test from "node:test";
import type { Finding } from "#core/base/schema/types.js";
import { editDistance, nearest } from "#core/base/schema/nearest.js";
import { compileOptions } from "#core/base/schema/options.js";
import { validate, validateOpenly, type Validated } from "#core/base/schema/validate.js";

test("all faults of a document are reported at once, each with what was seen and what is expected", () => {
  const findings = faultsOf(
    validate("config", { limits: { freez: "3s", hold: "soon" }, plugins: [{ use: "a", policy: "requird" }] }, "f.yaml"),
  );
  assert.deepEqual(findings, [
    {
      file: "f.yaml",
      pointer: "/limits/freez",
      seen: 'property "freez"',
      expected: 'no property "freez" here',
      nearest: "freeze",
    },
    {
      file: "f.yaml",
      pointer: "/limits/hold",
      seen: '"soon"',
      expected: 'a duration such as "250ms", "3s", "10m", or milliseconds',
    },
    {
      file: "f.yaml",
      pointer: "/plugins/0/policy",
      seen: '"requird"',
      expected: 'one of "required", "best-effort", "excluded"',
      nearest: "required",
    },
  ]);
});

test("a misspelt required property is one finding, not two", () => {
  const findings = faultsOf(validate("config", { plugins: [{ usse: "writer-postgres" }] }, "f.yaml"));
  assert.deepEqual(
    findings.map(({ pointer, nearest: name }) => [pointer, name]),
    [["/plugins/0/usse", "use"]],
  );
});

test("a value of the wrong type where only some values are allowed is one finding, with the list", () => {
  const findings = faultsOf(validate("config", { plugins: [{ use: "a", isolation: 3 }] }, "f.yaml"));
  assert.deepEqual(
    findings.map(({ seen, expected }) => [seen, expected]),
    [["3", 'one of "thread", "process"']],
  );
});

test("of a union, only the branch that the value was meant for reports its faults", () => {
  const support = validate("contract#/$defs/support", { pointInTime: true, group: 1 }, "match");
  assert.deepEqual(faultsOf(support), [{ file: "match", pointer: "/group", seen: "1", expected: "a string" }]);
  const neither = validate("contract#/$defs/support", "no", "match");
  assert.deepEqual(faultsOf(neither), [{ file: "match", pointer: "", seen: '"no"', expected: "null or Qualities" }]);
  const section = { hold: [{ kind: "fs", mount: "srv" }], commit: [] };
  const hold = faultsOf(validate("contract#/$defs/criticalSection", section, "prepare"));
  assert.deepEqual(
    hold.map(({ pointer }) => pointer),
    ["/hold/0/mount"],
  );
});

const pointersOf = (volume: object): string[] =>
  faultsOf(validate("contract#/$defs/volume", volume, "list")).map(({ pointer }) => pointer);

const expectedOf = (volume: object): string[] =>
  faultsOf(validate("contract#/$defs/volume", volume, "list")).map(({ expected }) => expected);

test("a volume without a kind is a file system, and only the kind that is meant reports its faults, and what is unknown", () => {
  const files = {
    id: "8:1",
    mountPoint: "/srv",
    fsType: "ext4",
    source: "x",
    root: "/",
    devices: [],
    paths: ["/srv"],
    exclude: [],
  };
  const device = { name: "sdb", number: "8:16", kind: "disk", sizeBytes: 1, lower: [] };
  const raw = { kind: "block", id: "8:16", devices: [device], paths: ["/dev/sdb"] };
  for (const volume of [files, { ...files, kind: "filesystem" }, raw])
    assert.ok(validate("contract#/$defs/volume", volume, "list").ok, JSON.stringify(volume));
  assert.deepEqual(pointersOf({ ...files, paths: ["srv"] }), ["/paths/0"]);
  assert.deepEqual(pointersOf({ ...raw, mountPoint: "/srv" }), ["/mountPoint"]);
  assert.deepEqual(pointersOf({ ...raw, paths: [] }), ["/paths"]);
  assert.deepEqual(expectedOf({ ...raw, devices: undefined }), ['a property "devices"']);
  assert.deepEqual(expectedOf({ ...files, mountPoint: undefined }), ['a property "mountPoint"']);
  for (const volume of [files, raw]) {
    const later = validateOpenly("contract#/$defs/volume", { ...volume, later: 1 }, "list");
    assert.deepEqual([later.ok && later.value, later.unknown.map(({ pointer }) => pointer)], [volume, ["/later"]]);
  }
});

test("what was seen is cut to a length that fits a line", () => {
  const [finding] = faultsOf(validate("config", { log: ["x".repeat(1000)] }, "f.yaml"));
  assert.equal(finding?.seen.length, 60);
});

test("an answer that is not JSON is a finding and not a crash", () => {
  const cyclic: Record<string, unknown> = { self: 1n };
  cyclic.self = cyclic;
  assert.equal(faultsOf(validate("contract#/$defs/report", cyclic, "verify"))[0]?.seen, "something that is not JSON");
});

test("a finding never shows a password", () => {
  const password = { type: "object", properties: { password: { type: "string" }, url: { type: "string" } } };
  const login = { ...password, required: ["url"], additionalProperties: false };
  const compiled = compileOptions({ type: "object", properties: { login } });
  assert.ok(compiled.ok);
  const findings = faultsOf(compiled.check({ login: { password: 4711 } }, { file: "f" }));
  assert.equal(findings.length, 2);
  assert.doesNotMatch(JSON.stringify(findings), /4711/);
});

test("options are checked with their defaults filled in, and the config itself stays as it was", () => {
  const compiled = compileOptions({
    type: "object",
    additionalProperties: false,
    properties: { host: { type: "string", default: "/run/acme" }, port: { type: "integer" } },
  });
  assert.ok(compiled.ok);
  const given = { port: 1 };
  assert.deepEqual(compiled.check(given, { file: "f" }), { ok: true, value: { host: "/run/acme", port: 1 } });
  assert.deepEqual(given, { port: 1 });
  const lines = new Map([["/plugins/2/options/prt", 7]]);
  const source = { file: "f.yaml", pointer: "/plugins/2/options", lineOf: (pointer: string) => lines.get(pointer) };
  assert.deepEqual(faultsOf(compiled.check({ prt: 1 }, source)), [
    {
      file: "f.yaml",
      line: 7,
      pointer: "/plugins/2/options/prt",
      seen: 'property "prt"',
      expected: 'no property "prt" here',
      nearest: "port",
    },
  ]);
});

test("a broken options schema is an answer with a reason", () => {
  for (const [schema, reason] of [
    [{ type: "objet" }, /type/],
    [{ type: "object", proprties: {} }, /unknown keyword/],
    [{ $ref: "https://vendor.invalid/x" }, /resolve/],
  ] as const) {
    const compiled = compileOptions(schema);
    assert.match(compiled.ok ? "compiled" : compiled.reason, reason);
  }
});

test("two versions of a plugin may give their options schemas the same $id", () => {
  const schema = { $id: "https://vendor.invalid/options", type: "object" };
  assert.ok(compileOptions(schema).ok);
  assert.ok(compileOptions({ ...schema, properties: {} }).ok);
});

test("the nearest name is found over slips and swapped letters, and nothing is found over nonsense", () => {
  assert.equal(editDistance("thaw", "thwa"), 1);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(nearest("polcy", ["policy", "options"]), "policy");
  assert.equal(nearest("writer-postgers", ["writer-mysql", "writer-postgres"]), "writer-postgres");
  assert.equal(nearest("xyzzy", ["policy", "options"]), undefined);
});

function faultsOf(checked: Validated<unknown>): Finding[] {
  return checked.ok ? [] : checked.findings;
}

test("a long name, and very many names, are not searched for a nearest one", () => {
  const long = "x".repeat(1_000_000);
  assert.equal(nearest(long, [`${long}y`]), undefined);
  assert.equal(nearest("freez", [long, "freeze"]), "freeze");
  const many = Array.from({ length: 200_000 }, (_, n) => `name-${n}`);
  assert.equal(nearest("freez", [...many, "freeze"]), undefined);
});
