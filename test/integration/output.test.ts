/** What commands write into a pipe: lines that fit and have no colour; with --json one document, whose parts are as the schemas say. */
import assert from "node:assert/strict";
import test from "node:test";
import type { ProviderStatus, WriterStatus } from "#core/requester/types.js";
import type { PastTransaction, SnapshotSet } from "#core/schema/types.js";
import { type SchemaName, validate } from "#core/schema/validate.js";
import { patience, Stage } from "../rig/stage.js";

interface Output {
  args: readonly string[];
  /** The parts of the document that a schema describes; none: it has none that a plugin or a file did not have before. */
  parts?: (document: never) => (readonly [SchemaName, unknown])[];
}

const set = (one: SnapshotSet): readonly [SchemaName, unknown] => ["snapshot-set", one];

const outputs: readonly Output[] = [
  { args: ["doctor"] },
  { args: ["init", "--print"] },
  { args: ["plan", "writer:app"] },
  { args: ["list"], parts: ({ sets }: { sets: SnapshotSet[] }) => sets.map((one) => set(one)) },
  { args: ["show", "nightly"], parts: (one: SnapshotSet) => [set(one)] },
  { args: ["verify", "nightly"], parts: (one: SnapshotSet) => [set(one)] },
  {
    args: ["history"],
    parts: ({ transactions }: { transactions: PastTransaction[] }) =>
      transactions.map((one) => ["history", one] as const),
  },
  {
    args: ["writers"],
    parts: ({ writers }: { writers: WriterStatus[] }) =>
      writers.flatMap((one) => ("components" in one ? [["components", one.components] as const] : [])),
  },
  {
    args: ["providers"],
    parts: ({ providers }: { providers: ProviderStatus[] }) =>
      providers.flatMap((one) => ("snapshots" in one ? [["contract#/$defs/snapshots", one.snapshots] as const] : [])),
  },
  { args: ["prune", "--keep-last", "1", "--dry-run"] },
  { args: ["restore", "nightly", "--dry-run"], parts: ({ set: one }: { set: SnapshotSet }) => [set(one)] },
  { args: ["recover"] },
  { args: ["plugins", "list"] },
  { args: ["metrics"] },
];

/** What cannot be broken: a path, or the sample of a figure. */
const unbroken = /\/|^(# (HELP|TYPE) )?holdstill_/;

test("in a pipe every command's lines fit and have no colour, and --json is one document", async (t) => {
  const stage = new Stage(t);
  const roles = { limits: patience };
  const long = "nightly-of-the-web-shop";
  for (const name of ["nightly", long])
    assert.equal((await stage.run(["create", "writer:app", "--name", name], roles)).exitCode, 0);
  for (const { args, parts } of outputs) {
    const shown = await stage.run(args, roles, { env: { COLUMNS: "200", TERM: "xterm-256color" } });
    const name = args.join(" ");
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(shown.stdout + shown.stderr, /\u001B/, name);
    for (const line of shown.stdout.split("\n"))
      assert.ok(line.length <= 80 || unbroken.test(line), `${name}: ${line.length} columns: ${line}`);
    const document: unknown = (await stage.run([...args, "--json"], roles)).json();
    for (const [schema, value] of parts?.(document as never) ?? []) {
      const checked = validate(schema, value, name);
      assert.ok(checked.ok, JSON.stringify(checked));
    }
  }
});
