/** Who may do what with the service: the kernel says who asks, the config what he may. */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { OperationDocument, ServiceConfig } from "#core/base/schema/types.js";
import { holdstill } from "../../support/process/command-line.js";
import { askAs, Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

const isRoot = process.getuid?.() === 0;
const skip = isRoot ? false : "only root can be several users";
/** Two users who are nobody else, and the group that both may connect by. */
const alice = { uid: 64_001, gid: 64_010 };
const bob = { uid: 64_002, gid: 64_010 };
const group = "64010";

/** A service that alice and bob can reach. */
function reachable(
  t: Parameters<typeof Service.start>[0],
  stage: Scene,
  rights: ServiceConfig["rights"],
): Promise<Service> {
  chmodSync(stage.dir, 0o755);
  return Service.start(t, stage, { service: { group, rights: rights ?? {} } });
}

test("who has no right may connect and learn that, and nothing else", { skip }, async (t) => {
  const stage = new Scene(t);
  const service = await reachable(t, stage, { create: ["user:64002"] });
  const { id } = await service.create({ targets: ["writer:app"] });
  await service.ended(id);
  const before = readdirSync(`${stage.dir}/state/operations`);
  const health = await askAs(alice, service.socket, "GET", "/v1/health");
  assert.equal(health.status, 200);
  assert.deepEqual((health.body as { you: { rights: string[] } }).you.rights, []);
  const body = { targets: ["writer:app"] };
  const calls: [string, string, unknown?][] = [
    ["GET", "/v1/writers"],
    ["GET", "/v1/providers"],
    ["GET", "/v1/plugins"],
    ["POST", "/v1/plans", body],
    ["GET", "/v1/sets"],
    ["GET", `/v1/sets/${id}`],
    ["POST", "/v1/sets", body],
    ["GET", "/v1/operations"],
    ["GET", `/v1/operations/${id}`],
    ["GET", `/v1/operations/${id}/events`],
    ["GET", `/v1/operations/${id}/await`],
    ["DELETE", `/v1/operations/${id}`],
    ["POST", `/v1/sets/${id}/expose`],
    ["POST", `/v1/sets/${id}/unexpose`],
    ["POST", `/v1/sets/${id}/verify`],
    ["POST", `/v1/sets/${id}/complete`, { succeeded: true }],
    ["POST", `/v1/sets/${id}/lease`],
    ["DELETE", `/v1/sets/${id}/lease`],
    ["DELETE", `/v1/sets/${id}`],
    ["POST", `/v1/sets/${id}/restore-plan`, {}],
    ["POST", `/v1/sets/${id}/restore`, {}],
  ];
  for (const [method, url, sent] of calls) {
    const { status, code } = await askAs(alice, service.socket, method, url, sent);
    assert.deepEqual([status, code], [403, "E_FORBIDDEN"], `${method} ${url}`);
  }
  assert.deepEqual(readdirSync(`${stage.dir}/state/operations`), before);
  assert.equal(stage.stored().length, 1);
});

test(
  "who may create may use what he took, and nobody else's; deleting and restoring are rights of their own",
  { skip },
  async (t) => {
    const stage = new Scene(t);
    const service = await reachable(t, stage, { create: ["group:64010"], delete: ["user:64002"] });
    const asked = await askAs(alice, service.socket, "POST", "/v1/sets", { targets: ["writer:app"] });
    const { id } = asked.body as OperationDocument;
    await service.ended(id);
    assert.equal((await askAs(alice, service.socket, "POST", `/v1/sets/${id}/expose`)).status, 200);
    assert.equal((await askAs(bob, service.socket, "GET", `/v1/sets/${id}`)).status, 200, "create implies read");
    for (const call of ["expose", "unexpose", "verify", "lease"]) {
      const { status, code } = await askAs(bob, service.socket, "POST", `/v1/sets/${id}/${call}`);
      assert.deepEqual([status, code], [403, "E_FORBIDDEN"], call);
    }
    assert.equal((await askAs(alice, service.socket, "POST", `/v1/sets/${id}/restore`, {})).status, 403);
    assert.equal((await askAs(alice, service.socket, "DELETE", `/v1/sets/${id}`)).status, 403);
    assert.equal(stage.stored().length, 1);
    assert.equal((await askAs(bob, service.socket, "DELETE", `/v1/sets/${id}`)).status, 200);
    assert.deepEqual(stage.stored(), []);
  },
);

test("who is not in the group cannot even connect", { skip }, async (t) => {
  const stage = new Scene(t);
  const service = await reachable(t, stage, { read: ["user:64003"] });
  const { status, body } = await askAs({ uid: 64_003, gid: 64_003 }, service.socket, "GET", "/v1/health");
  assert.deepEqual([status, (body as { code: string }).code], [0, "EACCES"]);
});

test("a right for somebody who does not exist is told at the start", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage, { service: { rights: { read: ["user:no-such-user"] } } });
  assert.equal(service.child.exitCode, 2);
  assert.match(service.stderr, /grants service.rights to the user `no-such-user`, which \/etc\/passwd does not list/);
});

test("a member of the group can list where the config is only for root", { skip }, async (t) => {
  const stage = new Scene(t);
  const service = await reachable(t, stage, { read: ["group:64010"] });
  const { id } = await service.create({ targets: ["writer:app"] });
  await service.ended(id);
  const folder = path.join(stage.dir, "etc/holdstill");
  mkdirSync(folder, { recursive: true });
  copyFileSync(service.config, path.join(folder, "holdstill.yaml"));
  chmodSync(path.join(folder, "holdstill.yaml"), 0o600);
  const env = { XDG_CONFIG_HOME: path.dirname(folder), HOLDSTILL_SOCKET: service.socket };
  const listed = await holdstill(["list"], { user: alice, cwd: "/", env });
  assert.match(listed.stdout, /writer:app/, listed.stderr);
  const alone = await holdstill(["list"], { user: alice, cwd: "/", env: { ...env, HOLDSTILL_SOCKET: "/nonexistent" } });
  assert.match(alone.stderr, /holdstill\.yaml cannot be read/); // E_CONFIG_UNREADABLE
});
