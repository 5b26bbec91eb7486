/** `create --lease-fd`: a set lives while a descriptor of its requester is open. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { TransactionResult } from "#core/engine/types.js";
import { program } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { Scene } from "../support/fixture/scene.js";
import { unwrapped } from "../support/process/unwrapped.js";

/** What `create` says and ends with, when descriptor 3 is what it was given. */
function create(
  stage: Scene,
  fd: number | "pipe",
  roles = {},
): { ended: TransactionResult; code: string; status: number | null } {
  const args = ["create", "writer:app", "--lease-fd", "3", "--json", "--config", stage.configFile(roles)];
  const { stdout, status } = spawnSync(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "ignore", fd],
    encoding: "utf8",
  });
  const ended = JSON.parse(stdout) as TransactionResult;
  return { ended, code: ended.error?.code ?? "", status };
}

const leases = (stage: Scene): string[] => readdirSync(path.join(stage.dir, "state/leases"));

test("while the descriptor is open the set is no leftover, and the next create leaves it; when it is closed the set goes", async (t) => {
  const stage = new Scene(t);
  const fd = openSync(path.join(stage.dir, "lease"), "w");
  const { ended, status } = create(stage, fd);
  assert.equal(status, 0);
  const { id = "", lease } = ended.set ?? {};
  assert.equal(lease?.pid, process.pid);
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
  const second = create(stage, fd);
  assert.deepEqual(
    new Set(stage.stored()),
    new Set([id, second.ended.set?.id]),
    "one descriptor may keep several sets",
  );
  assert.match((await stage.run(["prune", "--keep-last", "1", "--dry-run"])).stdout, /^keep .* leased$/m);
  assert.match((await stage.run(["retain", id, "--until", "1d"])).stderr, /lives as long as its requester/);

  closeSync(fd);
  const third = await stage.run(["create", "writer:app", "--json"]);
  assert.deepEqual(stage.stored(), [(third.json() as TransactionResult).set?.id]);
  assert.deepEqual(leases(stage), []);
});

test("after kill -9 of the one who had the descriptor its set is a leftover, also when his file is gone", async (t) => {
  for (const leaves of ["the file", "nothing"]) {
    const stage = new Scene(t);
    const file = path.join(stage.dir, "lease");
    const script =
      'exec 9>"$1"; "$2" "$3" create writer:app --lease-fd 9 --quiet --config "$4"; exec 1>&-; exec sleep 1000';
    const args = ["-c", script, "tool", file, process.execPath, program, stage.configFile()];
    const tool = spawn("sh", args, { stdio: ["ignore", "pipe", "inherit"] });
    onEnd(t, () => void tool.kill("SIGKILL"));
    let id = "";
    for await (const chunk of tool.stdout.setEncoding("utf8")) id += chunk as string;
    const none = await stage.run(["recover", "--dry-run"]);
    assert.equal(none.stdout, "Nothing is left over.\n", "the tool lives");
    tool.kill("SIGKILL");
    await once(tool, "exit");
    if (leaves === "nothing") rmSync(file);
    const seen = await stage.run(["recover", "--dry-run"]);
    assert.match(
      unwrapped(seen.stdout),
      new RegExp(`delete set ${id.trim()} of .*, whose lease ended with process ${tool.pid}`),
    );
    assert.equal((await stage.run(["recover", "--yes"])).exitCode, 0);
    assert.deepEqual([stage.stored(), leases(stage)], [[], []]);
  }
});

test("a transaction that fails leaves no lease", (t) => {
  const stage = new Scene(t);
  const fd = openSync(path.join(stage.dir, "lease"), "w");
  onEnd(t, () => closeSync(fd));
  assert.equal(create(stage, fd, { writer: { in: "freeze", does: "throws" } }).status, 4);
  assert.deepEqual(leases(stage), []);
});

test("what cannot be locked, or cannot be looked at by others, is refused before anything is done", async (t) => {
  const stage = new Scene(t);
  const gone = path.join(stage.dir, "gone");
  const fd = openSync(gone, "w");
  onEnd(t, () => closeSync(fd));
  rmSync(gone);
  const file = path.join(stage.dir, "lease");
  const locked = openSync(file, "w");
  onEnd(t, () => closeSync(locked));
  assert.equal(create(stage, locked).status, 0);
  const other = openSync(file, "r");
  onEnd(t, () => closeSync(other));
  for (const one of [fd, "pipe", other] as const) {
    const { code, status } = create(stage, one);
    assert.deepEqual([code, status], ["E_LEASE_FD", 2]);
  }
  assert.equal((await stage.run(["create", "writer:app", "--lease-fd", "77", "--json"])).exitCode, 2);
  assert.match(
    (await stage.run(["create", "writer:app", "--lease-fd", "2"])).stderr,
    /not an inherited file descriptor/,
  );
  assert.equal(stage.stored().length, 1);
});
