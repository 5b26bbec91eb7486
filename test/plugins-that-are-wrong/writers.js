/**
 * Writers that are wrong in one way each: the writer of `holdstill plugins new`, spoilt. `caughtBy` is the check that must
 * find it; `manifest` and `fixture` are merged into those of the right one.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";

const nothing = async () => {};
const hidden = { type: "string" };
/** Merged into the options' schema. */
const option = (name, schema) => ({ manifest: { options: { properties: { [name]: schema } } } });

/** State that dies with the worker. */
const frozen = new Set();
let calls = 0;

export const wrong = {
  "has a manifest with a property that does not exist": { caughtBy: "manifest", manifest: { isolaton: "thread" } },
  "has a main that is not there": { caughtBy: "manifest", manifest: { main: "./dist/index.js" } },
  "speaks a contract of the future": { caughtBy: "fits-this-host", manifest: { protocol: [9] } },
  "needs another holdstill": { caughtBy: "fits-this-host", manifest: { engines: { holdstill: ">=99.0.0" } } },
  "is writable for everybody": { caughtBy: "trusted", mode: 0o777 },
  "needs a program that is not there": {
    caughtBy: "commands",
    manifest: { requires: { commands: ["acme-no-such-program"] } },
  },
  "has a conformance.json with a misspelt property": { caughtBy: "fixture", fixture: { prob: "true" } },
  "has a default that its own schema refuses": {
    caughtBy: "options-accept-their-defaults",
    ...option("port", { type: "integer", minimum: 1, default: 0 }),
  },
  "takes options that do not exist": {
    caughtBy: "options-refuse-garbage",
    manifest: { options: { additionalProperties: true } },
  },
  "takes anything for an option": { caughtBy: "options-refuse-garbage", ...option("anything", {}) },
  "is tried with options that it refuses": {
    caughtBy: "options-accept-the-fixture",
    fixture: { options: { data: 1 } },
  },
  "has a set-up that fails": { caughtBy: "fixture-is-set-up", fixture: { setup: "echo no disk; exit 7" } },
  "has a set-up with a misspelt $WORK": {
    caughtBy: "fixture-is-set-up",
    fixture: { setup: "mkdir -p $WROK/holdstill-check-that-is-not-there; true" },
  },
  "is tried with a probe that never gets through": { caughtBy: "fixture-is-set-up", fixture: { probe: "exit 1" } },
  "has a teardown that fails": { caughtBy: "fixture-is-taken-down", fixture: { teardown: "echo it is busy; exit 1" } },
  "has no thaw": { caughtBy: "loads", plugin: (right) => ({ ...right, thaw: undefined }) },
  "throws while it loads": {
    caughtBy: "loads",
    plugin() {
      throw new Error("cannot find the library");
    },
  },
  "runs in a thread only": {
    caughtBy: "loads",
    runtime: "process",
    plugin(right) {
      if (isMainThread) throw new Error("this is no thread");
      return right;
    },
  },
  "runs in a process only, and does not say so": {
    caughtBy: "loads",
    plugin(right) {
      process.chdir("/");
      return right;
    },
  },
  "answers identify with a relative path": {
    caughtBy: "identify",
    plugin: (right) => ({
      ...right,
      identify: async () => [{ name: "data", kind: "files", paths: ["data"], tolerates: "fuzzy" }],
    }),
  },
  "hangs in identify": {
    caughtBy: "identify",
    fixture: { limitSeconds: 0.5 },
    plugin: (right) => ({ ...right, identify: () => new Promise(nothing) }),
  },
  "names a path that does not exist": {
    caughtBy: "paths-exist",
    plugin: (right) => ({
      ...right,
      identify: async () => [{ name: "data", kind: "files", paths: ["/nowhere/at/all"], tolerates: "fuzzy" }],
    }),
  },
  "names its components anew each time": {
    caughtBy: "identify-is-stable",
    plugin: (right) => ({
      ...right,
      identify: async (ctx) => [{ ...(await right.identify(ctx))[0], name: `data-${++calls}` }],
    }),
  },
  "holds the application still in identify": {
    caughtBy: "identify-touches-nothing",
    plugin: (right) => ({
      ...right,
      async identify(ctx) {
        if (existsSync(ctx.options.lock)) return right.identify(ctx);
        writeFileSync(ctx.options.lock, "mine");
        return right.identify(ctx);
      },
    }),
  },
  "writes to its data folder in identify": {
    caughtBy: "identify-touches-nothing",
    plugin: (right) => ({
      ...right,
      async identify(ctx) {
        writeFileSync(path.join(ctx.dataDir, `seen-${Date.now()}-${++calls}`), "");
        return right.identify(ctx);
      },
    }),
  },
  "answers freeze with null": { caughtBy: "transaction", plugin: (right) => ({ ...right, freeze: nothing }) },
  "hangs in freeze": {
    caughtBy: "transaction",
    fixture: { limitSeconds: 0.5 },
    plugin: (right) => ({ ...right, freeze: () => new Promise(nothing) }),
  },
  "fails with its password in the message": {
    caughtBy: "transaction",
    ...option("password", hidden),
    fixture: { options: { password: "correct horse" } },
    plugin: (right) => ({
      ...right,
      async freeze(_tx, { options }) {
        throw new Error(`cannot reach acme://user:${options.password}@host`);
      },
    }),
  },
  "lets thaw answer that nothing was held": {
    caughtBy: "transaction",
    plugin: (right) => ({
      ...right,
      async thaw(...args) {
        await right.thaw(...args);
        return { held: false, why: "I am not sure" };
      },
    }),
  },
  "does not thaw": {
    caughtBy: "transaction",
    fixture: { limitSeconds: 1 },
    plugin: (right) => ({ ...right, thaw: async () => ({ held: true }) }),
  },
  "freezes nothing": {
    caughtBy: "freeze-holds",
    plugin: (right) => ({ ...right, freeze: async () => ({}), thaw: async () => ({ held: true }) }),
  },
  "says that it held what it never froze": {
    caughtBy: "thaw-without-freeze",
    plugin: (right) => ({
      ...right,
      async thaw(...args) {
        await right.thaw(...args);
        return { held: true };
      },
    }),
  },
  "does not notice that its freeze was lost": {
    caughtBy: "thaw-tells-the-truth",
    plugin: (right) => ({
      ...right,
      async freeze(tx, ctx) {
        frozen.add(tx.id);
        return right.freeze(tx, ctx);
      },
      async thaw(tx, ...rest) {
        await right.thaw(tx, ...rest);
        return { held: frozen.delete(tx.id) };
      },
      async abort(tx, ...rest) {
        frozen.delete(tx.id);
        return right.abort(tx, ...rest);
      },
    }),
  },
  "names a file in the sidecar that is not there": {
    caughtBy: "sidecar-is-whole",
    plugin: (right) => ({ ...right, seal: async () => ({ files: ["label"] }) }),
  },
  "leaves a file in the sidecar that it does not name": {
    caughtBy: "sidecar-is-whole",
    plugin: (right) => ({
      ...right,
      seal: async (...args) => ({ ...(await right.seal(...args)), files: [] }),
    }),
  },
  "fails in complete when the backup failed": {
    caughtBy: "complete",
    plugin: (right) => ({
      ...right,
      async complete(_set, { succeeded }) {
        if (!succeeded) throw new Error("the backup must succeed");
      },
    }),
  },
  "finds every picture good": {
    caughtBy: "verify",
    plugin: (right) => ({ ...right, verify: async () => ({ ok: true }) }),
  },
  "finds every picture beyond repair": {
    caughtBy: "recover",
    plugin: (right) => ({
      ...right,
      identify: async (ctx) => [{ ...(await right.identify(ctx))[0], recovery: "always" }],
      recover: async () => ({ ok: false, why: "it is a copy" }),
    }),
  },
  "fails to abort what never began": {
    caughtBy: "abort-before-anything",
    plugin: (right) => ({
      ...right,
      async abort(tx, token, ctx) {
        if (!existsSync(ctx.options.lock)) throw new Error("there is no lock");
        return right.abort(tx, token, ctx);
      },
    }),
  },
  "holds the application from prepare on, and forgets it in abort": {
    caughtBy: "abort-after-prepare",
    fixture: { limitSeconds: 1 },
    plugin: (right) => ({
      ...right,
      async prepare(tx, ctx) {
        await right.freeze(tx, ctx);
        calls += 1;
      },
      freeze: async () => ({ since: "prepare" }),
      abort: async (tx, token, ctx) => (token === null ? undefined : right.abort(tx, token, ctx)),
    }),
  },
  "fails to abort what is thawed": {
    caughtBy: "abort-after-thaw",
    plugin: (right) => ({
      ...right,
      async abort(tx, token, ctx) {
        if (token !== null && !existsSync(ctx.options.lock)) throw new Error("it is thawed already");
        return right.abort(tx, token, ctx);
      },
    }),
  },
  "does nothing in abort": {
    caughtBy: "abort-after-freeze",
    fixture: { limitSeconds: 1 },
    plugin: (right) => ({ ...right, abort: nothing }),
  },
  "undoes only what its own worker did": {
    caughtBy: "abort-after-freeze",
    fixture: { limitSeconds: 1 },
    plugin: (right) => ({
      ...right,
      async freeze(tx, ctx) {
        frozen.add(tx.id);
        return right.freeze(tx, ctx);
      },
      async abort(tx, ...rest) {
        if (frozen.delete(tx.id)) await right.abort(tx, ...rest);
      },
    }),
  },
  "undoes only with a token": {
    caughtBy: "abort-after-freeze",
    fixture: { limitSeconds: 1 },
    plugin: (right) => ({
      ...right,
      abort: async (tx, token, ctx) => (token === null ? undefined : right.abort(tx, token, ctx)),
    }),
  },
  "fails to abort what is sealed": {
    caughtBy: "abort-after-seal",
    plugin: (right) => ({
      ...right,
      async abort(tx, token, ctx) {
        if (existsSync(path.join(tx.sidecarDir, "files.txt"))) throw new Error("it is sealed already");
        return right.abort(tx, token, ctx);
      },
    }),
  },
  "has a compensation that thaws nothing": {
    caughtBy: "compensation",
    manifest: { requires: { commands: ["true"] } },
    plugin: (right) => ({
      ...right,
      freeze: async (...args) => ({ ...(await right.freeze(...args)), compensation: { command: "true" } }),
    }),
  },
  "has a compensation that fails where nothing is frozen": {
    caughtBy: "compensation",
    manifest: { requires: { commands: ["rm"] } },
    plugin: (right) => ({
      ...right,
      async freeze(tx, ctx) {
        await right.freeze(tx, ctx);
        return { compensation: { command: "rm", args: [ctx.options.lock] } };
      },
    }),
  },
  "can abort once only": {
    caughtBy: "abort-ten-times",
    plugin: (right) => ({
      ...right,
      async abort(tx, ...rest) {
        if (frozen.has(tx.id)) throw new Error("it is undone already");
        frozen.add(tx.id);
        return right.abort(tx, ...rest);
      },
    }),
  },
  "thaws everybody in abort": {
    caughtBy: "abort-leaves-others-alone",
    plugin: (right) => ({
      ...right,
      abort: async (_tx, _token, { options }) => rmSync(options.lock, { force: true }),
    }),
  },
  "keeps a file for every transaction for ever": {
    caughtBy: "data-folder-does-not-grow",
    plugin: (right) => ({
      ...right,
      async freeze(tx, ctx) {
        writeFileSync(path.join(ctx.dataDir, tx.id), "");
        return right.freeze(tx, ctx);
      },
    }),
  },
  "is deaf in freeze": {
    caughtBy: "freeze-obeys-the-signal",
    plugin: (right) => ({
      ...right,
      async freeze(tx, ctx) {
        await sleep(800);
        return right.freeze(tx, ctx);
      },
    }),
  },
  "is deaf in thaw": {
    caughtBy: "thaw-obeys-the-signal",
    plugin: (right) => ({
      ...right,
      async thaw(...args) {
        await sleep(800);
        return right.thaw(...args);
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
  "is deaf in prepare": {
    caughtBy: "prepare-obeys-the-signal",
    plugin: (right) => ({ ...right, prepare: () => sleep(800) }),
  },
  "leaves a process": {
    caughtBy: "leaves-no-process",
    also: ["transaction"],
    plugin: (right) => ({
      ...right,
      async freeze(tx, ctx) {
        spawn("sleep", ["60"], { detached: true, stdio: "ignore", env: {} }).unref();
        return right.freeze(tx, ctx);
      },
    }),
  },
  "leaves a temporary file": {
    caughtBy: "leaves-no-temporary-file",
    also: ["transaction"],
    plugin: (right) => ({
      ...right,
      async freeze(tx, ctx) {
        mkdtempSync(path.join(tmpdir(), "acme-"));
        return right.freeze(tx, ctx);
      },
    }),
  },
  "writes to its own folder": {
    caughtBy: "leaves-its-folder-alone",
    also: ["transaction"],
    plugin: (right) => ({
      ...right,
      async freeze(tx, ctx) {
        writeFileSync(path.join(import.meta.dirname, "state.json"), "{}");
        return right.freeze(tx, ctx);
      },
    }),
  },
  "leaves a file in a watched folder": {
    caughtBy: "leaves-no-file",
    also: ["transaction"],
    fixture: { setup: "mkdir $WORK/data $WORK/watched && echo 0 >$WORK/data/counter", watch: ["$WORK/watched"] },
    plugin: (right) => ({
      ...right,
      async freeze(tx, ctx) {
        writeFileSync(path.join(ctx.options.lock, "../watched", tx.id), "");
        return right.freeze(tx, ctx);
      },
    }),
  },
  "logs its password": {
    caughtBy: "keeps-secrets",
    also: ["transaction"],
    ...option("password", hidden),
    fixture: { options: { password: "correct horse" } },
    plugin: (right) => ({
      ...right,
      async freeze(tx, ctx) {
        ctx.log.info("freezing", { options: ctx.options });
        return right.freeze(tx, ctx);
      },
    }),
  },
  "tells its password in an error": {
    caughtBy: "keeps-secrets",
    also: ["thaw-tells-the-truth"],
    ...option("password", hidden),
    fixture: { options: { password: "correct horse" } },
    plugin: (right) => ({
      ...right,
      async thaw(tx, token, ctx) {
        const report = await right.thaw(tx, token, ctx);
        if (!report.held) throw new Error(`cannot reach acme://user:${ctx.options.password}@host`);
        return report;
      },
    }),
  },
};
