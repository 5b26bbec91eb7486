/** Providers that are wrong in one way each: the provider of `holdstill plugins new`, spoilt. See writers.js. */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const nothing = async () => {};
/** State that dies with the worker. */
const made = new Set();
let calls = 0;

export const wrong = {
  "is tried on nothing": { caughtBy: "targets", fixture: { targets: ["$WORK/nowhere"] } },
  "says that its volume is not its own": {
    caughtBy: "match",
    plugin: (right) => ({ ...right, match: async () => null }),
  },
  "matches otherwise each time": {
    caughtBy: "match",
    plugin: (right) => ({
      ...right,
      match: async (...args) => ({ ...(await right.match(...args)), pointInTime: ++calls % 2 === 0 }),
    }),
  },
  "answers list with something else": {
    caughtBy: "list",
    plugin: (right) => ({ ...right, list: async () => [{ id: 1 }] }),
  },
  "hangs in commit": {
    caughtBy: "transaction",
    fixture: { limitSeconds: 1 },
    plugin: (right) => ({ ...right, commit: () => new Promise(nothing) }),
  },
  "runs a program that its manifest does not name": {
    caughtBy: "transaction",
    manifest: { requires: { commands: ["true"] } },
  },
  "announces a hold that it does not ask for": {
    caughtBy: "transaction",
    plugin: (right) => ({
      ...right,
      match: async (...args) => ({ ...(await right.match(...args)), hold: [{ kind: "fs", mount: "/" }] }),
    }),
  },
  "forgets a volume's snapshot in seal": {
    caughtBy: "transaction",
    plugin: (right) => ({ ...right, seal: async (...args) => (await right.seal(...args)).slice(1) }),
  },
  "seals in the name of another set": {
    caughtBy: "transaction",
    plugin: (right) => ({
      ...right,
      seal: async (...args) => (await right.seal(...args)).map((one) => ({ ...one, setId: "20200101-000000-000000" })),
    }),
  },
  "lists what is removed": {
    caughtBy: "list-tells-the-truth",
    plugin: (right) => ({
      ...right,
      async seal(...args) {
        const snapshots = await right.seal(...args);
        const file = path.join(args.at(-1).dataDir, "snapshots.json");
        const known = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
        writeFileSync(file, JSON.stringify([...known, ...snapshots]));
        return snapshots;
      },
      async list({ dataDir }) {
        const file = path.join(dataDir, "snapshots.json");
        return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
      },
    }),
  },
  "does not list what is sealed": {
    caughtBy: "list-tells-the-truth",
    plugin: (right) => ({ ...right, list: async () => [] }),
  },
  "copies in seal, when the cut is over": {
    caughtBy: "picture-is-of-the-cut",
    plugin: (right) => ({
      ...right,
      commit: nothing,
      async seal(tx, ctx) {
        await right.commit(tx, ctx);
        return right.seal(tx, ctx);
      },
    }),
  },
  "shows the original": {
    caughtBy: "picture-is-of-the-cut",
    plugin: (right) => ({
      ...right,
      async expose(...args) {
        const { trees } = await right.expose(...args);
        return { trees: trees.map(({ original }) => ({ original, path: original })), readOnly: true };
      },
    }),
  },
  "shows one path only": {
    caughtBy: "picture-is-of-the-cut",
    plugin: (right) => ({
      ...right,
      async expose(...args) {
        const exposed = await right.expose(...args);
        return { ...exposed, trees: exposed.trees.slice(0, 1) };
      },
    }),
  },
  "leaves out empty files": {
    caughtBy: "picture-is-of-the-cut",
    plugin: (right) => ({
      ...right,
      async seal(tx, ctx) {
        const snapshots = await right.seal(tx, ctx);
        for (const snapshot of snapshots)
          for (const tree of (await right.expose(snapshot, {}, ctx)).trees)
            rmSync(path.join(tree.path, "holdstill-check/empty"));
        return snapshots;
      },
    }),
  },
  "exposes to a new place each time": {
    caughtBy: "expose-and-conceal-twice",
    plugin: (right) => ({
      ...right,
      async expose(...args) {
        const { trees } = await right.expose(...args);
        const to = path.join(args.at(-1).options.store, "..", `shown-${++calls}`);
        return {
          trees: trees.map((tree, at) => {
            cpSync(tree.path, path.join(to, String(at)), { recursive: true, verbatimSymlinks: true });
            return { ...tree, path: path.join(to, String(at)) };
          }),
          readOnly: false,
        };
      },
    }),
  },
  "lets what was written to a scratch picture stay": {
    caughtBy: "scratch-is-thrown-away",
    plugin: (right) => ({
      ...right,
      expose: async (snapshot, view, ctx) => right.expose(snapshot, { ...view, access: "writable" }, ctx),
    }),
  },
  "throws away what was written to a writable picture": {
    caughtBy: "written-stays-written",
    plugin: (right) => ({
      ...right,
      match: async (...args) => ({ ...(await right.match(...args)), writable: true }),
      expose: async (snapshot, view, ctx) => right.expose(snapshot, { ...view, access: "scratch" }, ctx),
    }),
  },
  "cannot conceal twice": {
    caughtBy: "expose-and-conceal-twice",
    plugin: (right) => ({
      ...right,
      async expose(snapshot, ...rest) {
        made.add(snapshot.id);
        return right.expose(snapshot, ...rest);
      },
      async conceal({ id }) {
        if (!made.delete(id)) throw new Error("it is not exposed");
      },
    }),
  },
  "leaves something in the folder that it was given": {
    caughtBy: "picture-is-of-the-cut",
    plugin: (right) => ({
      ...right,
      async expose(snapshot, view, ctx) {
        writeFileSync(path.join(view.at, "note"), "");
        return right.expose(snapshot, view, ctx);
      },
    }),
  },
  "knows only what its own worker made": {
    caughtBy: "outlives-its-worker",
    plugin: (right) => ({
      ...right,
      async seal(tx, ctx) {
        made.add(tx.id);
        return right.seal(tx, ctx);
      },
      list: async (ctx) => (await right.list(ctx)).filter(({ setId }) => made.has(setId)),
    }),
  },
  "forks without saying of what": {
    caughtBy: "fork",
    plugin: (right) => ({ ...right, fork: async (snapshot) => ({ ...snapshot, id: `${snapshot.id}.fork` }) }),
  },
  "promises a picture of one instant, and copies": {
    caughtBy: "keeps-its-promises",
    plugin: (right) => ({
      ...right,
      match: async (...args) => ({ ...(await right.match(...args)), pointInTime: true, atomicGroup: true }),
    }),
  },
  "cannot remove twice": {
    caughtBy: "remove-twice",
    plugin: (right) => ({
      ...right,
      async remove(snapshot, ctx) {
        if (!existsSync(snapshot.facts.folder)) throw new Error("it is gone");
        return right.remove(snapshot, ctx);
      },
    }),
  },
  "removes the whole set": {
    caughtBy: "remove-leaves-others-alone",
    fixture: {
      setup:
        "mkdir -p $WORK/store $WORK/one $WORK/two && mount -t tmpfs -o size=32m holdstill-check $WORK/two && date >$WORK/one/file",
      teardown: "umount $WORK/two",
    },
    needsRoot: true,
    plugin: (right) => ({
      ...right,
      remove: async ({ setId }, ctx) => right.abort({ id: setId }, ctx),
    }),
  },
  "removes every set": {
    caughtBy: "remove-leaves-others-alone",
    plugin: (right) => ({
      ...right,
      async remove(_snapshot, { options: { store } }) {
        for (const name of readdirSync(store)) rmSync(path.join(store, name), { recursive: true });
      },
    }),
  },
  "exposes what never was": {
    caughtBy: "unknown-snapshots",
    plugin: (right) => ({
      ...right,
      expose: async (snapshot, ...rest) =>
        snapshot.facts === undefined
          ? { trees: [{ original: "/srv", path: "/srv" }], readOnly: true }
          : right.expose(snapshot, ...rest),
    }),
  },
  "fails to remove what never was": {
    caughtBy: "unknown-snapshots",
    plugin: (right) => ({
      ...right,
      async remove(snapshot, ctx) {
        if (snapshot.facts === undefined) throw new Error(`there is no ${snapshot.id}`);
        return right.remove(snapshot, ctx);
      },
    }),
  },
  "fails to abort what never began": {
    caughtBy: "abort-before-anything",
    plugin: (right) => ({
      ...right,
      async abort(tx, ctx) {
        const { store } = ctx.options;
        if (readdirSync(store).every((name) => !name.startsWith(tx.id))) throw new Error(`there is no ${tx.id}`);
        return right.abort(tx, ctx);
      },
    }),
  },
  "leaves what is half made": {
    caughtBy: "leaves-no-file",
    also: ["abort-after-commit"],
    plugin: (right) => ({
      ...right,
      abort: async (tx, { options: { store } }) => rmSync(path.join(store, tx.id), { recursive: true, force: true }),
    }),
  },
  "lists what is half made, and leaves it": {
    caughtBy: "abort-after-commit",
    plugin: (right) => ({
      ...right,
      abort: async (tx, { options: { store } }) => rmSync(path.join(store, tx.id), { recursive: true, force: true }),
      async list(ctx) {
        const half = readdirSync(ctx.options.store).filter((name) =>
          existsSync(path.join(ctx.options.store, name, "0")),
        );
        const sealed = await right.list(ctx);
        const rest = half.filter((name) => name.endsWith(".partial")).map((name) => name.replace(".partial", ""));
        const of = (setId) => ({ id: `${setId}.0`, setId, volumeId: "?", createdAt: new Date().toISOString() });
        return [...sealed, ...rest.map(of)];
      },
    }),
  },
  "fails to abort what was only prepared": {
    caughtBy: "abort-after-prepare",
    plugin: (right) => ({
      ...right,
      async abort(tx, ctx) {
        const dir = path.join(ctx.options.store, `${tx.id}.partial`);
        if (existsSync(dir) && !existsSync(path.join(dir, "0"))) throw new Error("nothing was copied");
        return right.abort(tx, ctx);
      },
    }),
  },
  "leaves a mount": {
    caughtBy: "leaves-no-mount",
    also: ["transaction"],
    needsRoot: true,
    manifest: { requires: { commands: ["cp", "mount"] } },
    fixture: { teardown: "umount $WORK/store/left" },
    plugin: (right) => ({
      ...right,
      async prepare(tx, volumes, ctx) {
        const left = path.join(ctx.options.store, "left");
        if (!existsSync(left)) {
          mkdirSync(left);
          await ctx.exec("mount", ["-t", "tmpfs", "-o", "size=1m", "holdstill-check", left]);
        }
        return right.prepare(tx, volumes, ctx);
      },
      list: async (ctx) => (await right.list(ctx)).filter(({ setId }) => setId !== "left"),
    }),
  },
  "leaves what is sealed": {
    caughtBy: "abort-after-seal",
    plugin: (right) => ({
      ...right,
      abort: async (tx, { options: { store } }) =>
        rmSync(path.join(store, `${tx.id}.partial`), { recursive: true, force: true }),
    }),
  },
  "undoes only what its own worker did": {
    caughtBy: "abort-after-seal",
    plugin: (right) => ({
      ...right,
      async prepare(tx, ...rest) {
        made.add(tx.id);
        return right.prepare(tx, ...rest);
      },
      abort: async (tx, ctx) => (made.has(tx.id) ? right.abort(tx, ctx) : undefined),
    }),
  },
  "can abort once only": {
    caughtBy: "abort-ten-times",
    plugin: (right) => ({
      ...right,
      async abort(tx, ctx) {
        if (made.has(tx.id)) throw new Error("it is undone already");
        made.add(tx.id);
        return right.abort(tx, ctx);
      },
    }),
  },
  "removes everything in abort": {
    caughtBy: "abort-leaves-others-alone",
    plugin: (right) => ({
      ...right,
      async abort(_tx, { options: { store } }) {
        rmSync(store, { recursive: true });
        mkdirSync(store);
      },
    }),
  },
  "keeps a note of every transaction for ever": {
    caughtBy: "data-folder-does-not-grow",
    plugin: (right) => ({
      ...right,
      async prepare(tx, volumes, ctx) {
        writeFileSync(path.join(ctx.dataDir, tx.id), "");
        return right.prepare(tx, volumes, ctx);
      },
    }),
  },
  "is deaf in prepare": {
    caughtBy: "prepare-obeys-the-signal",
    plugin: (right) => ({
      ...right,
      async prepare(...args) {
        await sleep(800);
        return right.prepare(...args);
      },
    }),
  },
  "is deaf in seal": {
    caughtBy: "seal-obeys-the-signal",
    plugin: (right) => ({
      ...right,
      async seal(...args) {
        await sleep(800);
        return right.seal(...args);
      },
    }),
  },
  "is deaf in commit": {
    caughtBy: "commit-obeys-the-signal",
    plugin: (right) => ({
      ...right,
      async commit(...args) {
        await sleep(800);
        return right.commit(...args);
      },
    }),
  },
  "leaves the store's old name behind": {
    caughtBy: "leaves-no-file",
    also: ["transaction"],
    plugin: (right) => ({
      ...right,
      async seal(tx, ctx) {
        const { store } = ctx.options;
        const snapshots = await right.seal(tx, ctx);
        writeFileSync(path.join(store, `${tx.id}.old`), "");
        renameSync(path.join(store, `${tx.id}.old`), path.join(store, `${tx.id}.older.partial`));
        return snapshots;
      },
    }),
  },
};
