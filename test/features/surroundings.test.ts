/** What a process is started with: closed descriptors, a folder that is gone, few files, another user's state. Always a coded sentence. */
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { makeStateDir, stateDir } from "#core/store/state-directory.js";
import { onEnd } from "../support/process/on-end.js";
import { program } from "../support/process/command-line.js";
import { Scene } from "../support/fixture/scene.js";

/** A shell that starts holdstill as $1, in a folder of its own. */
function shell(stage: Scene, script: string, options: { uid?: number; gid?: number } = {}): SpawnSyncReturns<string> {
  const config = stage.configFile();
  const line = `hs() { "$NODE" "$PROGRAM" "$@" --config "$CONFIG"; }\n${script}`;
  const env = {
    PATH: process.env["PATH"],
    NODE: process.execPath,
    PROGRAM: program,
    CONFIG: config,
    HOME: "/nonexistent",
  };
  return spawnSync("/bin/sh", ["-c", line], { cwd: stage.dir, env, encoding: "utf8", ...options });
}

const commands = [
  "list",
  "history",
  "plan writer:app",
  "create writer:app",
  "prune --keep-last 1 --yes",
  "recover --yes",
];

for (const closed of ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"]) {
  test(`with ${closed}, each command does its work`, (t) => {
    const stage = new Scene(t);
    for (const command of ["list", "create writer:app", "recover --yes"]) {
      const { status, stderr } = shell(stage, `hs ${command} ${closed}`);
      assert.equal(status, 0, `${command}: ${stderr}`);
      assert.doesNotMatch(stderr, /bug/);
    }
    const asked = shell(stage, `hs delete latest ${closed}`);
    assert.equal(asked.status, 2, "a question that cannot be asked is refused");
  });
}

/** Goes down until the path of the folder is longer than the kernel returns it, and starts a command there. */
const deep = `
  const fs = require("node:fs");
  const [name, ...args] = process.argv.slice(1);
  for (let depth = 0; depth < 25; depth += 1) {
    fs.mkdirSync(name, { recursive: true });
    process.chdir(name);
  }
  const { status } = require("node:child_process").spawnSync(process.execPath, args, { stdio: "inherit" });
  process.exitCode = status;`;

test("in a folder that was deleted, or is too deep, each command says so", (t) => {
  const stage = new Scene(t);
  const name = "d".repeat(200);
  // Its path is too long for Node.js to remove it.
  onEnd(t, () => void shell(stage, `rm -rf ${name}`));
  const places = {
    deleted: (command: string) => `mkdir gone && cd gone && rmdir ../gone; hs ${command}`,
    "too deep": (command: string) => `"$NODE" -e '${deep}' ${name} "$PROGRAM" ${command} --config "$CONFIG"`,
  };
  for (const [where, script] of Object.entries(places))
    for (const command of [...commands, "init --print", "doctor"]) {
      const { status, stdout, stderr } = shell(stage, script(command));
      assert.doesNotMatch(stdout + stderr, /bug in holdstill|^\s+at /m, `${where}, ${command}`);
      if (status !== 0) assert.match(stdout + stderr, /The current folder cannot be used: E/, `${where}, ${command}`);
    }
});

test("with too few files, it is the limit that is named", (t) => {
  const stage = new Scene(t);
  for (const limit of [24, 40, 64])
    for (const command of ["list", "plan writer:app", "create writer:app"]) {
      const { status, stdout, stderr } = shell(stage, `ulimit -n ${limit}; hs ${command}`);
      if (status === 0) continue;
      const { code } = codeOf(stage, `ulimit -n ${limit}; hs ${command} --json`);
      assert.ok(code === null || code === "E_OPEN_FILES" || code === "E_PLUGIN_LOAD", `${limit}, ${command}: ${code}`);
      assert.doesNotMatch(stdout + stderr, /bug in holdstill|^\s+at /m, `${limit}, ${command}`);
      assert.match(stdout + stderr, /EMFILE|ulimit -n|too many open files/, `${limit}, ${command}: ${status}`);
    }
});

/** null: it could not even print a document. */
function codeOf(stage: Scene, script: string): { code: string | null } {
  const { stdout } = shell(stage, script);
  return { code: /"code": "(E_[A-Z_]+)"/.exec(stdout)?.[1] ?? null };
}

test(
  "an ordinary user on root's state is told that it belongs to root, by each command",
  { skip: process.getuid?.() === 0 ? false : "only root can be another user" },
  (t) => {
    const stage = new Scene(t);
    makeStateDir(stateDir(path.join(stage.dir, "state")));
    mkdirSync(path.join(stage.dir, "home"));
    chmodSync(stage.dir, 0o755);
    const all = [
      ...commands,
      "show latest",
      "metrics",
      "delete latest --yes",
      "expose latest",
      "unexpose latest",
      "verify latest",
      "complete latest --succeeded",
      "restore latest --dry-run",
      "retain latest --until 1d",
    ];
    for (const command of all) {
      const { status, stdout, stderr } = shell(stage, `chmod 644 "$CONFIG" 2>/dev/null; hs ${command}`, {
        uid: 64_001,
        gid: 64_001,
      });
      assert.match(stdout + stderr, /The state directory .* cannot be used|E_STATE_DIR/, `${command}: ${status}`);
      assert.equal(status, 2, command);
    }
  },
);
