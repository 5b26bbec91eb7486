// A writer for one SQLite database. While its session has a write transaction open, no other session can change the database; readers
// continue. The session is a sqlite3 process that reads from a pipe: when the worker ends, the session ends, and with it the freeze.
import { spawn } from "node:child_process";
import path from "node:path";
import { PluginError } from "./kit/plugin-error.js";

/** @typedef {{ database: string }} Options */

/** The sessions with an open transaction. A new worker has none, and needs none: those of the old worker ended with it. */
const sessions = new Map();

/** @type {import("holdstill/plugin").Writer<Options>} */
const writer = {
  async identify({ options: { database } }) {
    return [
      {
        name: "database",
        kind: "database",
        // The folder, because the write-ahead log is beside the database. Its index in shared memory is made again.
        paths: [path.dirname(database)],
        exclude: [`${database}-shm`],
        tolerates: "fuzzy",
      },
    ];
  },

  async freeze(tx, { options: { database }, signal }) {
    // sqlite3 waits half a second for another writer. A retry instead of a longer wait lets the signal end it.
    for (;;) {
      signal.throwIfAborted();
      const session = open(database);
      signal.addEventListener("abort", () => session.end(), { once: true });
      if (await session.hears(".timeout 500\nBEGIN IMMEDIATE;\nSELECT 'held';\n", "held")) {
        sessions.set(tx.id, session);
        return { pid: session.pid };
      }
      if (!session.complaint().includes("locked") && !signal.aborted) throw notHeld(database, session.complaint());
    }
  },

  async thaw(tx) {
    const session = sessions.get(tx.id);
    if (session === undefined) return { uninterrupted: false, reason: "this worker has no session" };
    const uninterrupted = await session.hears("COMMIT;\nSELECT 'free';\n", "free");
    sessions.delete(tx.id);
    await session.end();
    return uninterrupted
      ? { uninterrupted }
      : { uninterrupted, reason: `the session ended: ${session.complaint() || "it was killed"}` };
  },

  async abort(tx) {
    await sessions.get(tx.id)?.end();
    sessions.delete(tx.id);
  },

  async verify(_tx, { trees }, { options: { database }, exec }) {
    const snapshot = path.join(trees[0].path, path.basename(database));
    const { stdout, stderr } = await exec("sqlite3", [
      "-batch",
      snapshot,
      "SELECT 'tables', count(*) FROM sqlite_schema; PRAGMA integrity_check;",
    ]);
    const [tables, ...found] = stdout.trim().split("\n");
    const ok = found.join() === "ok" && tables !== "tables|0";
    return ok
      ? { result: "opens" }
      : { result: "does-not-open", reason: stderr.trim() || `${tables}; ${found.join("; ")}` };
  },
};
export default writer;

/** A session with the database. */
function open(database) {
  const child = spawn("sqlite3", ["-batch", "-bail", database], { stdio: "pipe" });
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => (said.out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (said.err += text));
  // A session that has ended cannot be written to. That it has ended is detected below.
  child.stdin.on("error", () => {});
  let isOver = false;
  const over = new Promise((resolve) => child.once("close", resolve).once("error", resolve)).then(
    () => (isOver = true),
  );
  return {
    pid: child.pid,
    complaint: () => said.err.trim(),
    /** Sends SQL, and returns whether the session prints the word before it ends. */
    hears(sql, word) {
      if (isOver) return Promise.resolve(false);
      child.stdin.write(sql);
      const heard = new Promise((resolve) => child.stdout.on("data", () => said.out.includes(word) && resolve(true)));
      return Promise.race([heard, over.then(() => said.out.includes(word))]);
    },
    end() {
      child.kill();
      return over;
    },
  };
}

function notHeld(database, complaint) {
  const hint = "Check that the option `database` names a SQLite database that holdstill may write to.";
  return new PluginError("SQLITE", `${database} cannot be locked: ${complaint}`, hint);
}
