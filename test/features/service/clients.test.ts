/** The clients that are documentation, against a real service: each plans, takes a set, follows it, reads it, says how it went, ends it. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { connect } from "holdstill/client";
import test, { type TestContext } from "node:test";
import { Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";
import { tempDir } from "../../support/storage/temp.js";
import { repository } from "../../support/repository.js";

const clients = path.join(repository, "core/examples/clients");

interface Client {
  language: string;
  /** What it takes on the machine. In CI all but Go's compiler is there. */
  needs: readonly string[];
  command: (t: TestContext) => readonly string[];
}

const all: readonly Client[] = [
  { language: "shell", needs: ["curl"], command: () => ["sh", path.join(clients, "sh/backup.sh")] },
  { language: "Python", needs: ["python3"], command: () => ["python3", path.join(clients, "python/backup.py")] },
  { language: "Node", needs: [], command: () => [process.execPath, path.join(clients, "node/backup.js")] },
  { language: "Go", needs: ["go"], command: (t) => [built(t)] },
];

function built(t: TestContext): string {
  const program = path.join(tempDir(t), "backup");
  const env = { ...process.env, GOFLAGS: "-mod=mod", GOPROXY: "off", GOCACHE: tempDir(t) };
  execFileSync("go", ["build", "-o", program, "."], { cwd: path.join(clients, "go"), env });
  return program;
}

function lacking({ needs }: Client): string | false {
  const folders = (process.env["PATH"] ?? "").split(":").flatMap((dir) => {
    try {
      return readdirSync(dir);
    } catch {
      return [];
    }
  });
  const missing = needs.find((program) => !folders.includes(program));
  if (missing === undefined) return false;
  if (missing !== "go" && process.env["CI"] === "true") return false;
  return `no ${missing} here`;
}

async function run(command: readonly string[], socket: string): Promise<{ exitCode: number | null; text: string }> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HOLDSTILL_SOCKET: socket, PYTHONDONTWRITEBYTECODE: "1" },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  await once(child, "close");
  return { exitCode: child.exitCode, text };
}

for (const client of all) {
  test(
    `a backup in ${client.language} takes a set, follows it, archives the snapshots, tells the writers, and leaves nothing`,
    { skip: lacking(client) },
    async (t) => {
      const stage = new Scene(t);
      const service = await Service.start(t, stage);
      const command = client.command(t);
      const into = path.join(stage.dir, "archive");
      mkdirSync(into);
      const { exitCode, text } = await run([...command, "writer:app", into], service.socket);
      assert.equal(exitCode, 0, text);
      assert.match(text, /begun[^]*phase[^]*ended/);
      const archived = readdirSync(into).map((name) =>
        execFileSync("tar", ["-xOf", path.join(into, name), "./file"], { encoding: "utf8" }),
      );
      assert.deepEqual(archived, ["precious\n"]);
      assert.ok(stage.calls("app").includes("complete"), "the writer was told");
      assert.deepEqual(stage.stored(), []);

      const refused = await run([...command, "writer:nobody", into], service.socket);
      assert.notEqual(refused.exitCode, 0);
      assert.match(refused.text, /E_TARGET_UNKNOWN/, "what the service refuses is told");
    },
  );
}

test("the client for Node has the calls of the library, its types, and the errors of the service", async (t) => {
  const stage = new Scene(t);
  const { socket } = await Service.start(t, stage);
  const holdstill = await connect({ socket });
  assert.equal((await holdstill.plan({ targets: ["writer:app"] })).promised, "application");
  const seen: string[] = [];
  const { outcome, set } = await holdstill.create(
    { targets: ["writer:app"], name: "nightly" },
    { onEvent: ({ type }) => seen.push(type) },
  );
  assert.deepEqual([outcome, set?.name, seen.at(0), seen.at(-1)], ["created", "nightly", "begun", "ended"]);
  await assert.rejects(holdstill.show("nobody"), { code: "E_SET_UNKNOWN" });
  assert.deepEqual((await holdstill.removeAll([set?.id ?? ""])).deleted, [set?.id]);
  await assert.rejects(connect({ socket: path.join(stage.dir, "nowhere.sock") }), { code: "E_SERVICE_LOST" });
});
