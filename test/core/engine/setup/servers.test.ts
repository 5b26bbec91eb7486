import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { PluginManifest, ProcessDetection } from "#core/base/schema/types.js";
import { findServers, type FoundServer } from "#core/engine/setup/servers.js";
import { onEnd } from "../../../support/process/on-end.js";
import { tempDir } from "../../../support/storage/temp.js";

const manifestWith = (name: string, process: ProcessDetection): PluginManifest => ({
  manifestVersion: 1,
  name,
  version: "1.0.0",
  kind: "writer",
  protocol: [1],
  engines: { holdstill: "*" },
  main: "./index.js",
  detects: [{ title: "Acme", process }],
});

/** A process whose name is acmed and whose working directory is its data directory, as `listen` goes on in JavaScript. */
async function startAcmed(t: TestContext, cwd: string, listen = "", args: string[] = []): Promise<ChildProcess> {
  const program = path.join(cwd, "acmed");
  writeFileSync(program, "#!/bin/sh\nread line\n", { mode: 0o755 });
  const child =
    listen === ""
      ? spawn(program, args, { cwd, stdio: ["pipe", "ignore", "inherit"] })
      : spawn(process.execPath, ["-e", `process.title = "acmed"; ${listen}`], {
          cwd,
          stdio: ["pipe", "pipe", "inherit"],
        });
  onEnd(t, async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

/** The process may be found only when its program has been started. */
async function found(pid: number | undefined, manifests: PluginManifest[]): Promise<FoundServer | undefined> {
  for (let tries = 0; tries < 100; tries += 1) {
    const server = findServers(manifests).find((one) => one.server.pid === pid);
    if (server !== undefined) return server;
    await sleep(20);
  }
  return undefined;
}

test("a process is found by its name, with its data directory, sockets and ports", async (t) => {
  const dir = path.join(tempDir(t), "acme of two words");
  mkdirSync(dir);
  const listen = `
    const { createServer } = require("node:net");
    createServer().listen("other.sock", () => createServer().listen(process.cwd() + "/acme-7.sock", () => {
      const tcp = createServer().listen(0, "127.0.0.1", () => console.log(tcp.address().port));
    }));`;
  const child = await startAcmed(t, dir, listen);
  const manifest = manifestWith("writer-acme", { names: ["acmed"], socket: "^acme-(?<number>[0-9]+)\\.sock$" });
  const server = await found(child.pid, [manifest]);
  assert.ok(server);
  const { title, plugin, dataDir, sockets, ports } = server.server;
  assert.deepEqual(
    [title, plugin, dataDir, sockets.includes(`${dir}/acme-7.sock`)],
    ["Acme", "writer-acme", dir, true],
  );
  assert.deepEqual(server.placeholders, {
    dataDir: dir,
    name: path.basename(dir),
    socket: `${dir}/acme-7.sock`,
    socketDir: dir,
    host: dir,
    port: String(ports[0]),
    number: "7",
    ...(server.server.unit === null ? {} : { unit: server.server.unit }),
  });
});

test("the data directory is the first source that exists and has what is demanded", async (t) => {
  const dir = tempDir(t);
  const [named, usual] = [path.join(dir, "named"), path.join(dir, "usual")];
  mkdirSync(named);
  mkdirSync(usual);
  const child = await startAcmed(t, dir, "", ["--data=named"]);
  const dataDir: ProcessDetection["dataDir"] = [
    { from: "argument", name: "--data" },
    { from: "path", path: usual },
  ];
  const dirWith = async (detection: Partial<ProcessDetection>): Promise<string | undefined> =>
    (await found(child.pid, [manifestWith("writer-acme", { names: ["acmed"], ...detection })]))?.server.dataDir;
  assert.equal(await dirWith({}), dir, "the working directory is the default");
  assert.equal(await dirWith({ dataDir }), named);
  writeFileSync(path.join(usual, "FORMAT"), "");
  assert.equal(await dirWith({ dataDir, contains: "FORMAT" }), usual);
  assert.equal(existsSync(path.join(dir, "NONE")), false);
  const absent = manifestWith("writer-acme", { names: ["acmed"], contains: "NONE" });
  assert.deepEqual(
    findServers([absent]).filter(({ server }) => server.pid === child.pid),
    [],
  );
});

test("if two manifests describe a process, the first is used", async (t) => {
  const child = await startAcmed(t, tempDir(t));
  const [first, second] = ["writer-first", "writer-second"].map((name) => manifestWith(name, { names: ["acmed"] }));
  assert.ok(first && second);
  assert.equal((await found(child.pid, [first, second]))?.server.plugin, "writer-first");
});

test("without a manifest that describes processes nothing is read", () => {
  assert.deepEqual(findServers([], "/does-not-exist"), []);
});

test("a FIFO in the place of a pid file is not waited for", async (t) => {
  const dir = tempDir(t);
  const child = await startAcmed(t, dir);
  const pidFile = { path: "acme.pid", lines: { number: 1 } };
  const known = manifestWith("writer-acme", { names: ["acmed"] });
  assert.ok(await found(child.pid, [known]));
  const fifo = path.join(dir, pidFile.path);
  execFileSync("mkfifo", [fifo]);
  // The caller that waits for it gets this after all.
  const late = spawn("sh", ["-c", 'sleep 3; echo 7 >"$1"', "sh", fifo], { stdio: "ignore", detached: true });
  onEnd(t, () => void process.kill(-(late.pid ?? 0), "SIGKILL"));
  const servers = findServers([manifestWith("writer-acme", { names: ["acmed"], pidFile })]);
  assert.equal(
    servers.find((one) => one.server.pid === child.pid),
    undefined,
  );
});
