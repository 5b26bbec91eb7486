/** A server that ends, in whatever way, before each call: what the writer says, and that the server is none the worse. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cut, FreezeToken } from "holdstill/plugin";
import writer from "@holdstill/writer-postgres";
import { context } from "../rig/context.js";
import { missingPostgres } from "../rig/postgres-binaries.js";
import type { PostgresServer } from "../rig/postgres.js";
import { begin, leavesNothing, serverWithLedger, writerOptions } from "../rig/postgres-picture.js";

const skip = missingPostgres();

/** What becomes of a server. */
const ends: Record<string, (server: PostgresServer) => Promise<void>> = {
  "is stopped": async (server) => await server.halt("fast"),
  crashes: async (server) => await server.halt("immediate"),
  restarts: async (server) => {
    await server.halt("fast");
    await server.start();
  },
  // As the kernel does when memory runs out: the server ends all sessions, and starts anew by itself.
  "loses a process": async (server) => {
    const [other] = await server.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
    );
    process.kill(other?.pid ?? 0, "SIGKILL");
    await comesBack(server);
  },
};

/** What a call says then; the calls before it went well. "well": it needs nothing of the sessions before. */
const says = {
  prepare: { "is stopped": "PG_DOWN", crashes: "PG_DOWN", restarts: "well", "loses a process": "well" },
  freeze: "PG_SESSION_LOST",
  thaw: "not held",
  seal: { fuzzy: "PG_SESSION_LOST", atomic: "well" },
} as const;

type Call = keyof typeof says;

function expected(call: Call, end: string, cut: Cut): string {
  const said: string | Record<string, string> = says[call];
  return typeof said === "string" ? said : (said[end] ?? said[cut] ?? "");
}

for (const cut of ["fuzzy", "atomic"] as const) {
  test(
    `a server that is stopped, crashes, restarts or loses a process before a call is told by it (${cut} cut)`,
    { skip },
    async (t) => {
      const server = await serverWithLedger(t, {});
      for (const [end, happens] of Object.entries(ends)) {
        for (const call of Object.keys(says) as Call[]) {
          const said = await outcome(t, server, call, cut, async () => await happens(server));
          assert.equal(said, expected(call, end, cut), `it ${end} before ${call}`);
          if (end === "is stopped" || end === "crashes") await server.start();
          await leavesNothing(server);
        }
      }
    },
  );
}

/** Plays the transaction up to the call, lets it happen, and tells what the call says; then everything is undone. */
async function outcome(
  t: TestContext,
  server: PostgresServer,
  call: Call,
  cut: Cut,
  happens: () => Promise<void>,
): Promise<string> {
  const ctx = context(writerOptions(server));
  const tx = await begin(t, ctx, cut);
  let token: FreezeToken = {};
  try {
    for (const next of Object.keys(says) as Call[]) {
      if (next === call) await happens();
      if (next === "prepare") await writer.prepare?.(tx, ctx);
      if (next === "freeze") token = await writer.freeze(tx, ctx);
      if (next === "thaw" && !(await writer.thaw(tx, token, ctx)).held) return "not held";
      if (next === "seal") await writer.seal?.(tx, ctx);
      if (next === call) return "well";
    }
    return "never";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  } finally {
    await writer.abort(tx, token, ctx);
  }
}

async function comesBack(server: PostgresServer): Promise<void> {
  for (let wait = 0; wait < 500; wait += 1) {
    await sleep(20);
    const answers = await server.query("SELECT 1").then(
      () => true,
      () => false,
    );
    if (answers) return;
  }
  assert.fail("the server did not come back");
}
