/** A server that ends, in whatever way, before each call or while one waits: what the writer reports, and that the server is unharmed. */
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import path from "node:path";
import test, { type TestContext as NodeTest } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cut, Exposed, FreezeToken } from "holdstill/plugin";
import writer from "@holdstill/writer-postgres";
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
import { ImageVolume } from "../../support/storage/image-volume.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import type { PostgresServer } from "../../support/server/postgres-server.js";
import {
  begin,
  leavesNothing,
  type Options,
  serverWithLedger,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";

const skip = missingPostgres() || (process.getuid?.() !== 0 && "mounting needs root");

/** What becomes of a server. */
const ends: Record<string, (server: PostgresServer) => Promise<void>> = {
  "is stopped": async (server) => await server.halt("fast"),
  "is killed": async (server) => await server.halt("immediate"),
  restarts: async (server) => {
    await server.halt("fast");
    await server.start();
  },
  // As the kernel does when memory runs out: the server ends all sessions, and starts anew by itself.
  "loses a process": async (server) => {
    const before = await checkpointer(server);
    process.kill(before ?? 0, "SIGKILL");
    for (let wait = 0; wait < 1000; wait += 1) {
      const now = await checkpointer(server).catch(() => undefined);
      if (now !== undefined && now !== before) return;
      await sleep(20);
    }
    assert.fail("the server did not come back");
  },
};

async function checkpointer(server: PostgresServer): Promise<number | undefined> {
  const sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
  return (await server.query<{ pid: number }>(sql))[0]?.pid;
}

const down = { "is stopped": "PG_DOWN", "is killed": "PG_DOWN", restarts: "well", "loses a process": "well" };

/** The result of a call then, by how the server ended or by the cut; the calls before it went well. "well": it needs nothing of the sessions before. */
const outcomes: Readonly<Record<Call, string | Readonly<Record<string, string>>>> = {
  identify: down,
  prepare: down,
  freeze: "PG_SESSION_LOST",
  thaw: "not held",
  seal: { fuzzy: "PG_SESSION_LOST", atomic: "well" },
  repair: "well",
  verify: "well",
  abort: "well",
};

/** A call that takes longer ends with TimeoutError. */
const limitMs = 30_000;

/** The writer's calls around a snapshot of one instant, which is good for a fuzzy copy too. */
async function stepsOn(
  t: NodeTest,
  volume: ImageVolume,
  server: PostgresServer,
  cut: Cut,
  options: Partial<Options> = {},
): Promise<Steps> {
  const ctx = (): TestContext<Options> => context(writerOptions(server, options), { limitMs });
  const tx = await begin(t, ctx(), cut);
  let token: FreezeToken = {};
  let clone = "";
  let shown: Exposed | undefined;
  const snapshot = (): Exposed => {
    if (shown !== undefined) return shown;
    const mount = volume.expose(clone);
    // The server on it is another user.
    chmodSync(path.dirname(mount), 0o755);
    shown = { trees: [{ original: server.dataDir, path: path.join(mount, "data") }], readOnly: false };
    return shown;
  };
  return {
    identify: async () => await well(writer.identify(ctx())),
    prepare: async () => await well(writer.prepare?.(tx, ctx())),
    async freeze() {
      token = await writer.freeze(tx, ctx());
      clone = volume.cut();
      return "well";
    },
    thaw: async () => ((await writer.thaw(tx, token, ctx())).uninterrupted ? "well" : "not held"),
    seal: async () => await well(writer.seal?.(tx, ctx())),
    repair: async () => wordOf(await writer.repair?.(tx, snapshot(), ctx())),
    verify: async () => resultOf(await writer.verify?.(tx, snapshot(), ctx())),
    abort: async () => await well(writer.abort(tx, token, ctx())),
  };
}

for (const cut of ["fuzzy", "atomic"] as const) {
  test(
    `a server that is stopped, is killed, restarts or loses a process before a call is told by it (${cut} cut)`,
    { skip },
    async (t) => {
      const volume = new ImageVolume(t);
      const server = await serverWithLedger(t, { dataDir: path.join(volume.mount, "data") });
      for (const [end, happens] of Object.entries(ends)) {
        for (const call of [...calls, "abort"] as const) {
          const steps = await stepsOn(t, volume, server, cut);
          const said = await saidBy(steps, call, async () => await happens(server));
          const expected = outcomes[call];
          assert.equal(
            said,
            typeof expected === "string" ? expected : (expected[end] ?? expected[cut]),
            `it ${end} before ${call}`,
          );
          if (end === "is stopped" || end === "is killed") await server.start();
          await leavesNothing(server);
        }
      }
    },
  );
}

/** So slow that it does not end in a test. */
const spread = { checkpoint_completion_target: "0.99", checkpoint_timeout: "1h" };

async function waitsForCheckpoint(server: PostgresServer): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity WHERE application_name LIKE 'holdstill%' AND wait_event = 'CheckpointDone'`;
  while ((await server.query(sql)).length === 0) await sleep(20);
}

for (const cut of ["fuzzy", "atomic"] as const) {
  test(
    `a server that is stopped, is killed, restarts or loses a process while prepare waits for its checkpoint is told by it (${cut} cut)`,
    { skip },
    async (t) => {
      const volume = new ImageVolume(t);
      const server = await serverWithLedger(t, { dataDir: path.join(volume.mount, "data"), config: spread });
      for (const [end, happens] of Object.entries(ends)) {
        await server.query("DROP TABLE IF EXISTS pages; CREATE TABLE pages AS SELECT generate_series(1, 200000) AS id");
        const steps = await stepsOn(t, volume, server, cut, { checkpointAboveBytes: 0 });
        const said = await saidWhile(
          steps,
          "prepare",
          async () => await waitsForCheckpoint(server),
          async () => await happens(server),
        );
        assert.equal(said, "PG_SESSION_LOST", `it ${end}`);
        if (end === "is stopped" || end === "is killed") await server.start();
        await leavesNothing(server);
      }
    },
  );
}
