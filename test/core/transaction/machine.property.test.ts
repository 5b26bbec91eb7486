/** The machine against a world that does whatever it likes; the world itself says what must not happen, see support/fixture/fake-world.ts. */
import assert from "node:assert/strict";
import test from "node:test";
import * as fc from "fast-check";
import type { CommitOp, HoldTarget } from "#core/base/schema/types.js";
import type { Player, Turn } from "../../support/fixture/machine-player.js";
import { FakeWorld } from "../../support/fixture/fake-world.js";

const writer = fc.record({
  role: fc.constant("writer" as const),
  policy: fc.constantFrom("required" as const, "best-effort" as const),
  level: fc.constantFrom(0 as const, 1 as const, 2 as const),
  section: fc.constant(null),
  repairs: fc.boolean(),
});
const provider = fc.record({
  role: fc.constant("provider" as const),
  policy: fc.constant("required" as const),
  level: fc.constant(0 as const),
  repairs: fc.constant(false),
  section: fc.record({
    hold: fc.constantFrom<HoldTarget[]>([], [{ kind: "fs", mount: "/srv" }], [{ kind: "dm", name: "vg0-data" }]),
    commit: fc.constantFrom<CommitOp[]>([], [{ op: "plugin" }], [{ op: "parallel", chains: [[], [{ op: "plugin" }]] }]),
  }),
});
const players: fc.Arbitrary<Player[]> = fc
  .tuple(fc.array(writer, { maxLength: 4 }), fc.array(provider, { minLength: 1, maxLength: 2 }))
  .map(([writers, providers]) => [
    ...writers.map((one, at) => ({ ...one, id: `writer-${at}` })),
    ...providers.map((one, at) => ({ ...one, id: `provider-${at}` })),
  ]);

/** `often`: of seven, how many go well. */
const turns = (often: number, what: Turn["what"][]): fc.Arbitrary<Turn[]> =>
  fc.array(
    fc.record({
      what: fc.constantFrom(...what),
      pick: fc.nat(11),
      ok: fc.nat(6).map((n) => n < often),
      done: fc.boolean(),
    }),
    { maxLength: 45 },
  );

const usually = ["settle", "settle", "settle", "settle", "settle", "settle", "settle", "interrupt"] as const;

test("whatever fails and in whatever order, every run ends with nothing held, and nothing frozen that is not residue", () => {
  fc.assert(
    fc.property(
      players,
      fc.oneof(turns(6, [...usually]), turns(4, [...usually]), turns(6, ["settle"])),
      (participants, all) => {
        new FakeWorld(participants).play(all);
      },
    ),
    { numRuns: 20_000 },
  );
});

test("when all goes well, in whatever order, the set is created and writers are thawed in the reverse order of freezing", () => {
  fc.assert(
    fc.property(players, turns(7, ["settle"]), (participants, all) => {
      const world = new FakeWorld(participants);
      world.play(all);
      assert.equal(world.state.type, "created");
      const levels = (op: string): number[] =>
        world.effects.flatMap((effect) =>
          effect.type === "call" && effect.op === op
            ? (participants.find(({ id }) => id === effect.actor)?.level ?? [])
            : [],
        );
      assert.deepEqual(levels("thaw"), levels("freeze").toReversed());
    }),
    { numRuns: 3000 },
  );
});

test("failures of best-effort writers alone never end a transaction", () => {
  fc.assert(
    fc.property(players, turns(3, ["settle"]), (participants, all) => {
      const world = new FakeWorld(participants);
      world.play(all);
      if (!world.fatal) assert.equal(world.state.type, "created");
    }),
    { numRuns: 5000 },
  );
});
