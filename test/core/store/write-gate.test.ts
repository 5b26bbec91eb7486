/** While a transaction of this process holds volumes, no method of the store writes; afterwards each one does. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Journal } from "#core/store/journal.js";
import { OperationStore } from "#core/store/operation-store.js";
import { Records } from "#core/store/records.js";
import { PendingCopy } from "#core/store/restore-draft.js";
import { swapIntoPlace } from "#core/store/swap-into-place.js";
import { Store } from "#core/store/store.js";
import { emptySet } from "../../support/fixture/set-record.js";
import { tempDir } from "../../support/storage/temp.js";

const id = "20260102-030405-abcdef";
const who = { role: "writer", instance: "app", plugin: "writer-that", version: "1.0.0" } as const;
const signal = new AbortController().signal;
const never = (): never => assert.fail("no other transaction has the volume");

interface Scene {
  readonly store: Store;
  readonly dir: string;
}

/** One writing method each, after what it needs. */
const writes: Record<string, (scene: Scene) => Promise<() => Promise<unknown>>> = {
  prepare:
    async ({ store }) =>
    () =>
      store.prepare(["another"]),
  "catalog.write":
    async ({ store }) =>
    () =>
      store.catalog.write(emptySet(id)),
  "catalog.makeSidecarDirs":
    async ({ store }) =>
    () =>
      store.catalog.makeSidecarDirs(id, ["app"]),
  async "catalog.remove"({ store }) {
    await store.catalog.write(emptySet(id));
    return () => store.catalog.remove(id);
  },
  "history.append": async ({ store }) => {
    const past = { at: new Date().toISOString(), outcome: "created", targets: [], timeline: [] } as const;
    return () => store.history.append({ ...past, targets: [], timeline: [] });
  },
  "audit.note":
    async ({ store }) =>
    () =>
      store.audit.note(null, "create", { id }),
  "journals.open":
    async ({ store }) =>
    () =>
      store.journals.open(id),
  async "journals.forget"({ store }) {
    (await store.journals.open(id)).close();
    return () => store.journals.forget(id);
  },
  async "a line of a journal"({ store }) {
    const journal = await store.journals.open(id);
    return () => journal.write({ entry: "asked", actor: "app", op: "prepare" });
  },
  "leases.take":
    async ({ store }) =>
    () =>
      store.leases.take(),
  async "the release of a lease"({ store }) {
    const lease = await store.leases.take();
    return () => lease.release();
  },
  async "leases.forget"({ store }) {
    const lease = await store.leases.take();
    lease.lapse();
    return () => store.leases.forget(lease.mark.id);
  },
  "volumes.take":
    async ({ store }) =>
    () =>
      store.volumes.take(["v"], id, { limitMs: 1000, onQueued: never, signal }),
  "exposures.make":
    async ({ store }) =>
    () =>
      store.exposures.make(store.exposures.of(id, "0")),
  async "exposures.admit"({ store }) {
    await store.exposures.make(store.exposures.of(id, "0"));
    return () => store.exposures.admit(id, { gid: 0, mode: 0o700 });
  },
  async "exposures.remove"({ store }) {
    await store.exposures.make(store.exposures.of(id, "0"));
    return () => store.exposures.remove(store.exposures.of(id, "0"));
  },
  async "the swap of a restore"({ store, dir }) {
    const to = path.join(dir, "to");
    const draft = PendingCopy.make({ to, draft: path.join(dir, ".to.draft/copy"), aside: null }, {});
    writeFileSync(path.join(draft.folder.procPath, "copy"), "new");
    return async () => {
      using swapped = draft;
      await swapIntoPlace([swapped], store.gate);
    };
  },
  async "the operations of the service"({ store }) {
    const operations = new OperationStore(store.state, store.gate);
    const requester = { uid: 0, gid: 0, pid: 1 };
    const operation = {
      id,
      acceptedAt: "2026-01-02T03:04:05.000Z",
      requester,
      request: { targets: ["/srv"] },
      state: { type: "accepted" },
    } as const;
    return () => operations.keep({ operation: { ...operation, request: { targets: ["/srv"] } } });
  },
};

for (const [name, ready] of Object.entries(writes)) {
  test(`${name} waits while volumes are held`, async (t) => {
    const dir = tempDir(t);
    const store = new Store(new Records(path.join(dir, "state"), null), path.join(dir, "exposed"));
    await store.prepare();
    const write = await ready({ store, dir });
    const before = contentsOf(dir);
    await store.gate.suspend();
    let isOver = false;
    const over = write().then(() => (isOver = true));
    for (let n = 0; n < 20; n += 1) await turn();
    assert.deepEqual([isOver, contentsOf(dir)], [false, before]);
    store.gate.resume();
    await over;
    assert.notDeepEqual(contentsOf(dir), before);
  });
}

test("a sidecar is read while volumes are held, and its folders are synced afterwards", async (t) => {
  const dir = tempDir(t);
  const store = new Store(new Records(path.join(dir, "state"), null), path.join(dir, "exposed"));
  await store.prepare();
  await store.catalog.makeSidecarDirs(id, ["app"]);
  await store.gate.suspend();
  let isOver = false;
  const folder = store.sidecars.folder(id, "app");
  const over = store.sidecars.keep(folder, { files: [] }, who, signal).then(() => (isOver = true));
  for (let n = 0; n < 20; n += 1) await turn();
  assert.equal(isOver, false);
  store.gate.resume();
  await over;
});

test("the journal of the transaction that holds keeps its lines in memory, and writes them in order afterwards", async (t) => {
  const dir = tempDir(t);
  const store = new Store(new Records(path.join(dir, "state"), null), path.join(dir, "exposed"));
  await store.prepare();
  const journal = await store.journals.open(id);
  journal.suspend();
  await store.gate.suspend();
  await journal.write({ entry: "asked", actor: "app", op: "commit" });
  await journal.write({ entry: "answered", actor: "app", op: "commit" });
  assert.equal(journal.isEmpty, true);
  store.gate.resume();
  await journal.resume();
  await journal.write({ entry: "asked", actor: "app", op: "thaw" });
  journal.close();
  const lines = readFileSync(path.join(store.state.transactions, `${id}.jsonl`), "utf8")
    .trim()
    .split("\n");
  const entries = lines.map((line) => JSON.parse(line) as { entry: string; op: string });
  assert.deepEqual(
    entries.map(({ entry, op }) => `${entry} ${op}`),
    ["asked commit", "answered commit", "asked thaw"],
  );
  assert.equal(Journal.isHeld(store.state, id), false);
});

/** Every path below the folder, with its mode and the size of files: what a write would change. */
function contentsOf(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => {
      const stat = statSync(path.join(dir, name));
      return `${name} ${stat.mode} ${stat.isFile() ? stat.size : "/"}`;
    })
    .toSorted();
}
