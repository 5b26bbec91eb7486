/** Each call of the service, with each right, on the set of each user: what a right reaches, and what it does not. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Right } from "#core/base/config/settings.js";
import type { KeptOperation, OperationResult, RequesterMark } from "#core/base/schema/types.js";
import { routes } from "#core/service/http/routes/routes.js";
import { Catalog } from "#core/store/catalog.js";
import { makeStateDir, stateDir } from "#core/store/state-directory.js";
import { emptySet } from "../../support/fixture/set-record.js";
import { Scene } from "../../support/fixture/scene.js";
import { Service } from "../../support/process/service.js";

const skip = process.getuid?.() === 0 ? false : "only root can be several users";

/** any: the right is enough. own: and the set, or the operation, must be the caller's. */
interface Row {
  right: Right | null;
  whose: "any" | "own";
  body?: object;
}

/** What each call requires. A call without a row fails the test, and so does a row without a call. */
const expected: Readonly<Record<string, Row>> = {
  "GET /v1/health": { right: null, whose: "any" },
  "GET /v1/writers": { right: "read", whose: "any" },
  "GET /v1/providers": { right: "read", whose: "any" },
  "GET /v1/capabilities": { right: "read", whose: "any" },
  "GET /v1/plugins": { right: "read", whose: "any" },
  "GET /v1/history": { right: "read", whose: "any" },
  "GET /v1/leftovers": { right: "read", whose: "any" },
  "POST /v1/recovery": { right: "delete", whose: "any", body: { leftovers: [] } },
  "POST /v1/page": { right: "read", whose: "any" },
  "POST /v1/plans": { right: "read", whose: "any", body: {} },
  "POST /v1/sets": { right: "create", whose: "any", body: {} },
  "GET /v1/operations": { right: "read", whose: "any" },
  "GET /v1/operations/{operation}": { right: "read", whose: "any" },
  "GET /v1/operations/{operation}/await": { right: "read", whose: "any" },
  "GET /v1/operations/{operation}/events": { right: "read", whose: "any" },
  "DELETE /v1/operations/{operation}": { right: "create", whose: "own" },
  "GET /v1/sets": { right: "read", whose: "any" },
  "GET /v1/sets/{set}": { right: "read", whose: "any" },
  "POST /v1/sets/{set}/expose": { right: "create", whose: "own" },
  "POST /v1/sets/{set}/unexpose": { right: "create", whose: "own" },
  "POST /v1/sets/{set}/verify": { right: "create", whose: "own" },
  "POST /v1/sets/{set}/repair": { right: "create", whose: "own" },
  "POST /v1/sets/{set}/complete": { right: "create", whose: "own", body: { succeeded: true } },
  "POST /v1/sets/{set}/lease": { right: "create", whose: "own" },
  "GET /v1/sets/{set}/lease": { right: "create", whose: "own" },
  "POST /v1/sets/{set}/keep": { right: "create", whose: "own" },
  "DELETE /v1/sets/{set}/lease": { right: "create", whose: "own" },
  "DELETE /v1/sets/{set}": { right: "delete", whose: "any" },
  "POST /v1/sets/{set}/restore-plan": { right: "read", whose: "any", body: {} },
  "POST /v1/sets/{set}/restore": { right: "restore", whose: "any", body: {} },
};

/** A user for each right, alone. */
const users = { none: 64_100, read: 64_101, create: 64_102, delete: 64_103, restore: 64_104 } as const;
type Holder = keyof typeof users;
const gid = 64_110;
const stranger = 64_105;
const whose = ["own", "another's", "root's"] as const;

interface Cell {
  holder: Holder;
  call: string;
  of: (typeof whose)[number];
  method: string;
  url: string;
  body?: object;
}

test("each call has a row in the table, and each row a call with the right that the route demands", () => {
  const table = Object.fromEntries(routes.map(({ method, path: url, right }) => [`${method} ${url}`, right]));
  assert.deepEqual(Object.fromEntries(Object.entries(expected).map(([call, { right }]) => [call, right])), table);
});

test("each right reaches what its row says, and is refused everything else", { skip }, async (t) => {
  const stage = new Scene(t);
  const state = stateDir(path.join(stage.dir, "state"));
  makeStateDir(state);
  chmodSync(stage.dir, 0o755);
  const catalog = new Catalog(state);
  let n = 0;
  const newId = (): string => `20260101-000000-${(n += 1).toString(16).padStart(6, "0")}`;
  const cells: Cell[] = [];
  for (const { method, path: url } of routes) {
    const call = `${method} ${url}`;
    for (const holder of Object.keys(users) as Holder[]) {
      for (const of of url.includes("{") ? whose : (["own"] as const)) {
        const id = newId();
        const uid = { own: users[holder], "another's": stranger, "root's": 0 }[of];
        const requester = { uid, gid, pid: 1 };
        if (url.includes("{set}")) await catalog.write({ ...emptySet(id), ...(uid === 0 ? {} : { requester }) });
        if (url.includes("{operation}")) keepOperation(state.root, id, requester);
        const body = expected[call]?.body;
        cells.push({
          holder,
          call,
          of,
          method,
          url: url.replace(/\{\w+\}/, id),
          ...(body === undefined ? {} : { body }),
        });
      }
    }
  }
  const rights = Object.fromEntries(
    (["read", "create", "delete", "restore"] as const).map((right) => [right, [`user:${users[right]}`]]),
  );
  const service = await Service.start(t, stage, { service: { group: String(gid), rights } });
  for (const holder of Object.keys(users) as Holder[]) {
    const own = cells.filter((cell) => cell.holder === holder);
    const statuses = await askAll(users[holder], service.socket, own);
    const seen = own.map((cell, at) => `${cell.call} of ${cell.of}: ${statuses[at] === 403 ? "refused" : "allowed"}`);
    const right = own.map((cell) => `${cell.call} of ${cell.of}: ${isAllowed(cell) ? "allowed" : "refused"}`);
    assert.deepEqual(seen, right, `with the right ${holder}`);
    assert.deepEqual(
      statuses.filter((status) => status >= 500),
      [],
      `with the right ${holder}`,
    );
  }
  const left = catalog.list().sets.map(({ id }) => id);
  const deleted = cells.filter(({ method, url }) => method === "DELETE" && /\/sets\/[^/]+$/.test(url));
  for (const { url, holder } of deleted)
    assert.equal(left.includes(path.basename(url)), holder !== "delete", `${url} by ${holder}`);
});

test(
  "who may read the events of an operation of another user does not prolong the lease of its set",
  { skip },
  async (t) => {
    const stage = new Scene(t);
    chmodSync(stage.dir, 0o755);
    const service = await Service.start(t, stage, {
      service: { group: String(gid), rights: { read: [`user:${users.read}`] } },
    });
    const { id } = await service.create({ targets: ["writer:app"], lease: "3s" });
    await service.ended(id);
    const url = `/v1/operations/${id}/events`;
    await askAll(users.read, service.socket, [{ method: "GET", url }]);
    const until = Date.now() + 30_000;
    while (stage.stored().length > 0) {
      assert.ok(Date.now() < until, "the set outlives its lease");
      await askAll(users.read, service.socket, [{ method: "GET", url: `/v1/operations/${id}/await` }]);
    }
  },
);

test("one user cannot take all places for operations: root's set is still taken", { skip }, async (t) => {
  const stage = new Scene(t);
  chmodSync(stage.dir, 0o755);
  const service = await Service.start(t, stage, {
    writer: { in: "prepare", does: "hangs" },
    limits: { prepare: "60s" },
    service: { group: String(gid), operations: 4, rights: { create: [`user:${users.create}`] } },
  });
  const asked = { method: "POST", url: "/v1/sets", body: { targets: ["writer:app"] } };
  assert.deepEqual(await askAll(users.create, service.socket, [asked, asked, asked]), [202, 202, 503]);
  const { id } = await service.create({ targets: ["writer:app"] });
  await service.ask("DELETE", `/v1/operations/${id}`);
  assert.equal((await service.ended(id)).state.result.outcome, "interrupted");
});

function isAllowed({ call, holder, of }: Cell): boolean {
  const row = expected[call];
  assert.ok(row !== undefined, call);
  if (row.right === null) return true;
  if (holder === "none") return false;
  if (row.right !== "read" && row.right !== holder) return false;
  return row.whose === "any" || of === "own";
}

function keepOperation(root: string, id: string, requester: RequesterMark): void {
  const result: OperationResult = { outcome: "created", exitCode: 0, set: id, residue: [], timeline: [] };
  const acceptedAt = "2026-01-01T00:00:00.000Z";
  const state = { type: "ended", endedAt: acceptedAt, result } as const;
  const kept: KeptOperation = { operation: { id, acceptedAt, requester, request: { targets: ["/srv"] }, state } };
  mkdirSync(path.join(root, "operations"), { recursive: true });
  writeFileSync(path.join(root, "operations", `${id}.json`), JSON.stringify(kept));
}

/** One process of that user asks for all, one after the other. @returns The statuses. */
async function askAll(
  uid: number,
  socket: string,
  asked: readonly { method: string; url: string; body?: object }[],
): Promise<number[]> {
  const source = `
    import { request } from "node:http";
    const [socketPath, list] = process.argv.slice(1);
    const statuses = [];
    for (const { method, url: path, body } of JSON.parse(list)) {
      const text = body === undefined ? "" : JSON.stringify(body);
      const headers = text === "" ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
      statuses.push(await new Promise((resolve, reject) => {
        const outgoing = request({ socketPath, method, path, headers }, (incoming) => {
          incoming.resume().on("end", () => resolve(incoming.statusCode));
        });
        outgoing.on("error", reject).end(text);
      }));
    }
    process.stdout.write(JSON.stringify(statuses));`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source, socket, JSON.stringify(asked)], {
    uid,
    gid,
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await once(child, "close");
  return JSON.parse(text) as number[];
}
