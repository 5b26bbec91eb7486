/** Where the service listens: nothing of anybody else is replaced, and nobody comes between. */
import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import test from "node:test";
import { holdstill } from "../../support/process/command-line.js";
import { Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

test("a link, a file or a folder in the place of the socket is refused, and left as it is", async (t) => {
  const stage = new Scene(t);
  const socket = path.join(stage.dir, "hs.sock");
  const precious = path.join(stage.dir, "precious");
  writeFileSync(precious, "precious\n");
  const cases: [string, () => void][] = [
    ["a symbolic link", () => symlinkSync(precious, socket)],
    ["a file", () => writeFileSync(socket, "mine\n")],
    ["a folder", () => mkdirSync(socket)],
  ];
  for (const [what, make] of cases) {
    make();
    const before = lstatSync(socket).ino;
    const service = await Service.start(t, stage);
    assert.equal(service.child.exitCode, 2, what);
    assert.match(service.stderr, new RegExp(`cannot listen at .*: ${what} is at this path`));
    assert.equal(lstatSync(socket).ino, before);
    rmSync(socket, { recursive: true });
  }
  assert.equal(readFileSync(precious, "utf8"), "precious\n");
});

test("a folder that others may write to is no place for it: E_SOCKET, with what mends it", async (t) => {
  const stage = new Scene(t);
  const folder = path.join(stage.dir, "open");
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const { config } = await Service.start(t, stage, { service: { socket: path.join(folder, "hs.sock") } });
  const run = await holdstill(["serve", "--json", "--config", config]);
  assert.equal(run.exitCode, 2, run.stderr);
  assert.equal((run.json() as { error: { code: string } }).error.code, "E_SOCKET");
});

test("the socket of a service that was killed is replaced; one that somebody listens at is not", async (t) => {
  const stage = new Scene(t);
  const first = await Service.start(t, stage);
  await first.stop("SIGKILL");
  assert.ok(lstatSync(first.socket).isSocket());
  const second = await Service.start(t, stage, { config: first.config });
  assert.equal((await second.ask("GET", "/v1/health")).status, 200);
  assert.equal(statSync(second.socket).mode & 0o777, 0o600);
  await second.stop();

  const other = createServer().listen(first.socket);
  t.after(() => other.close());
  const third = await Service.start(t, stage, { config: first.config });
  assert.equal(third.child.exitCode, 3);
  assert.match(third.stderr, new RegExp(`A service is already running: pid ${process.pid},`));
});
