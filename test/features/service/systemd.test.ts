/** What systemd gives a service, and wants to be told: sd_listen_fds(3), sd_notify(3). */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { holdstill, program } from "../../support/process/command-line.js";
import { onEnd } from "../../support/process/on-end.js";
import { Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

const missing = (tool: string): string | false =>
  spawnSync(tool, ["--version"]).error === undefined ? false : `${tool} is not installed`;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test(
  "the first who connects to systemd's socket starts it, and it ends when it is idle",
  { skip: missing("systemd-socket-activate") },
  async (t) => {
    const stage = new Scene(t);
    const config = stage.configFile();
    const socket = path.join(stage.dir, "hs.sock");
    const serve = [process.execPath, program, "serve", "--idle", "3s", "--config", config];
    const activator = spawn("systemd-socket-activate", ["-l", socket, ...serve], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    onEnd(t, () => void activator.kill("SIGKILL"));
    const ended = once(activator, "close");
    while (!existsSync(socket)) await pause(20);
    const { ino } = lstatSync(socket);
    const run = await holdstill(["create", "writer:app", "--json", "--config", config]);
    assert.equal(run.exitCode, 0, run.stderr);
    const { set } = run.json() as { set: { requester?: { uid: number } } };
    assert.equal(set.requester?.uid, process.getuid?.(), "the command line went by the service");
    // It has become the service: systemd-socket-activate executes it in its own place.
    assert.deepEqual((await ended)[0], 0);
    assert.equal(lstatSync(socket).ino, ino, "the socket is systemd's");
  },
);

const receiver = `
  use Socket;
  socket(S, AF_UNIX, SOCK_DGRAM, 0) or die;
  bind(S, sockaddr_un($ARGV[0])) or die;
  $| = 1;
  print "bound\\n";
  while (defined recv(S, $text, 4096, 0)) { print "$text\\n"; }`;

for (const [kind, place] of [
  ["a path", (dir: string) => path.join(dir, "notify")],
  ["an abstract name", () => `@holdstill-test-${process.pid}`],
] as const) {
  test(
    `it says when it is ready, that it lives, and when it ends, at ${kind}`,
    { skip: missing("perl") },
    async (t) => {
      const stage = new Scene(t);
      const at = place(stage.dir);
      const listener = spawn(
        "perl",
        ["-e", receiver.replace("sockaddr_un($ARGV[0])", "sockaddr_un($ARGV[0] =~ s/^@/\\0/r)"), at],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      onEnd(t, () => void listener.kill("SIGKILL"));
      let told = "";
      listener.stdout.setEncoding("utf8").on("data", (text: string) => (told += text));
      while (!told.includes("bound")) await pause(20);
      const service = await Service.start(t, stage, { env: { NOTIFY_SOCKET: at, WATCHDOG_USEC: "400000" } });
      while ((told.match(/^WATCHDOG=1$/gm) ?? []).length < 3) await pause(20);
      assert.match(told, /^READY=1\nSTATUS=listening at /m);
      assert.equal(await service.stop(), 0);
      while (!told.includes("STOPPING=1")) await pause(20);
    },
  );
}

test("the units that it prints are what systemd understands", { skip: missing("systemd-analyze") }, async (t) => {
  const stage = new Scene(t);
  const run = await holdstill(["serve", "--print-unit", "--json", "--config", stage.configFile()]);
  const { files } = run.json() as { files: Record<string, string> };
  assert.deepEqual(Object.keys(files), ["holdstill.socket", "holdstill.service"]);
  const places = Object.entries(files).map(([name, text]) => {
    const file = path.join(stage.dir, name);
    writeFileSync(file, text);
    return file;
  });
  const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...places], { encoding: "utf8" });
  assert.equal(stderr, "");
});
