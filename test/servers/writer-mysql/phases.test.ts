/** A server that ends, in whatever way, before each call or while one waits: what the writer reports, and that the server is unharmed. */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Exposed, FreezeToken } from "holdstill/plugin";
import writer from "@holdstill/writer-mysql";
import {
  type Call,
  calls,
  saidBy,
  saidWhile,
  type Steps,
  well,
  resultOf,
  wordOf,
} from "../../support/fixture/writer-calls.js";
import { context, type TestContext } from "../../support/fixture/context.js";
import { MysqlFixture, leavesNothing, type Options } from "../../support/server/mysql-snapshot.js";
import { onEnd } from "../../support/process/on-end.js";
import { mariadb, missingServer, mysql9, type MysqlServer } from "../../support/server/mysql-server.js";

/** What becomes of a server. */
const ends: Record<string, (server: MysqlServer) => Promise<void>> = {
  "is stopped": async (server) => await server.halt("SIGTERM"),
  "is killed": async (server) => await server.halt("SIGKILL"),
  restarts: async (server) => {
    await server.halt("SIGTERM");
    await server.start();
  },
};

/** The result of a call then; the calls before it went well. "well": it needs nothing of the sessions before. */
const outcomes: Readonly<Record<Call, string | Readonly<Record<string, string>>>> = {
  identify: { restarts: "well", "is stopped": "MYSQL_DOWN", "is killed": "MYSQL_DOWN" },
  prepare: { restarts: "well", "is stopped": "MYSQL_DOWN", "is killed": "MYSQL_DOWN" },
  freeze: "MYSQL_SESSION_LOST",
  thaw: "not held",
  // The snapshot is there, and the server was held while it was taken.
  seal: "well",
  repair: "well",
  verify: "well",
  abort: "well",
};

/** A call that takes longer ends with TimeoutError. */
const limitMs = 30_000;

/** The writer's calls around a snapshot of one instant. */
async function stepsOn(bench: MysqlFixture): Promise<Steps> {
  const ctx = (): TestContext<Options> => context(bench.ctx.options, { limitMs });
  const tx = await bench.begin();
  let token: FreezeToken = {};
  let clone = "";
  let shown: Exposed | undefined;
  const snapshot = (): Exposed => (shown ??= bench.expose(clone));
  return {
    identify: async () => await well(writer.identify(ctx())),
    prepare: async () => await well(writer.prepare?.(tx, ctx())),
    async freeze() {
      token = await writer.freeze(tx, ctx());
      clone = bench.volume.cut();
      return "well";
    },
    thaw: async () => ((await writer.thaw(tx, token, ctx())).uninterrupted ? "well" : "not held"),
    seal: async () => await well(writer.seal?.(tx, ctx())),
    repair: async () => wordOf(await writer.repair?.(tx, snapshot(), ctx())),
    verify: async () => resultOf(await writer.verify?.(tx, snapshot(), ctx())),
    abort: async () => await well(writer.abort(tx, token, ctx())),
  };
}

/** As the plan sees it: with MyISAM tables clients that write wait from freeze to thaw. */
const kinds: readonly { name: string; sql: string; among: readonly Call[] }[] = [
  { name: "no lock", sql: "SELECT 1", among: [...calls, "abort"] },
  {
    name: "a lock",
    sql: "CREATE TABLE books.old (id int) ENGINE=MyISAM",
    among: ["prepare", "freeze", "thaw", "seal", "abort"],
  },
];

/** Waits until a session of the server is in that state. */
async function shows(server: MysqlServer, state: string): Promise<void> {
  const sql = `SELECT ID FROM information_schema.PROCESSLIST WHERE ${state}`;
  while ((await server.query(sql)).length === 0) await sleep(20);
}

for (const flavour of [mariadb, mysql9]) {
  test(
    `${flavour.name}: a server that is stopped, is killed or restarts while freeze waits for a lock is told by it`,
    { skip: missingServer(flavour) },
    async (t) => {
      const bench = await MysqlFixture.lay(t, flavour, { options: { lockSeconds: 20 } });
      const { server } = bench;
      await server.query("CREATE TABLE books.old (id int) ENGINE=MyISAM; INSERT INTO books.old VALUES (1)");
      for (const [end, happens] of Object.entries(ends)) {
        const steps = await stepsOn(bench);
        const blocked: Steps = {
          ...steps,
          async prepare() {
            const client = await server.connect({ database: "books" });
            onEnd(t, () => client.cut());
            client.query("UPDATE old SET id = id + sleep(60)").catch(() => {});
            await shows(server, "STATE = 'User sleep'");
            return await steps.prepare();
          },
        };
        const said = await saidWhile(
          blocked,
          "freeze",
          async () => await shows(server, "STATE LIKE 'Waiting for%'"),
          async () => await happens(server),
        );
        assert.equal(said, "MYSQL_SESSION_LOST", `it ${end}`);
        if (end !== "restarts") await server.start();
        await leavesNothing(server);
      }
    },
  );
  for (const { name, sql, among } of kinds) {
    test(
      `${flavour.name}: a server that is stopped, is killed or restarts before a call is told by it (${name})`,
      { skip: missingServer(flavour) },
      async (t) => {
        const bench = await MysqlFixture.lay(t, flavour);
        const { server } = bench;
        await server.query(sql);
        for (const [end, happens] of Object.entries(ends)) {
          for (const call of among) {
            const said = await saidBy(await stepsOn(bench), call, async () => await happens(server));
            const expected = outcomes[call];
            assert.equal(said, typeof expected === "string" ? expected : expected[end], `it ${end} before ${call}`);
            if (end !== "restarts") await server.start();
            await leavesNothing(server);
          }
        }
      },
    );
  }
}
