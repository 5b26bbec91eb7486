/** A writer for a directory: the "application" is frozen while the file `frozen` is there. */
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { misbehaving } from "../faults.js";

const flag = ({ app }) => path.join(app, "frozen");
/** Folders that are its own since somebody wrote them down. */
const since = ({ app }) => {
  const list = path.join(app, "owns");
  return existsSync(list) ? readFileSync(list, "utf8").trim().split("\n") : [];
};
const owner = (options) => (existsSync(flag(options)) ? readFileSync(flag(options), "utf8") : null);

const writer = {
  async identify({ options: { app, more = [], tolerates = "fuzzy", recovery, level } }) {
    const component = {
      name: "app",
      kind: "files",
      paths: [path.join(app, "data"), ...more, ...since({ app })],
      tolerates,
    };
    const said = Object.entries({ level, recovery }).filter(([, value]) => value !== undefined);
    return [{ ...component, ...Object.fromEntries(said) }];
  },
  async prepare() {},
  async freeze(tx, { options, log }) {
    mkdirSync(options.app, { recursive: true });
    writeFileSync(flag(options), tx.id);
    log.info("frozen", { transaction: tx.id });
    const compensation = { command: "rm", args: [flag(options)] };
    return { transaction: tx.id, ...(options.compensates === true ? { compensation } : {}) };
  },
  async thaw(tx, _token, { options }) {
    const held = owner(options) === tx.id;
    if (held) rmSync(flag(options));
    return held ? { held } : { held, why: "the file `frozen` was gone" };
  },
  async seal(tx, { options: { leaves } }) {
    writeFileSync(path.join(tx.sidecarDir, "notes.txt"), `sealed ${tx.id}\n`);
    if (leaves !== undefined) {
      writeFileSync(path.join(tx.sidecarDir, "wal"), "");
      truncateSync(path.join(tx.sidecarDir, "wal"), leaves);
    }
    return { files: ["notes.txt", ...(leaves === undefined ? [] : ["wal"])], facts: { transaction: tx.id } };
  },
  async complete() {},
  async recover(_tx, { trees }, { options: { unrepairable } }) {
    for (const { path: picture } of trees) writeFileSync(path.join(picture, "repaired"), "");
    return unrepairable === undefined ? { ok: true, facts: { trees: trees.length } } : { ok: false, why: unrepairable };
  },
  async verify({ sidecarDir }, { trees }) {
    for (const { path: picture } of trees) writeFileSync(path.join(picture, "started"), "");
    const ok = trees.every(({ path: picture }) => readFileSync(path.join(picture, "file"), "utf8") === "precious\n");
    return {
      ok: ok && existsSync(path.join(sidecarDir, "notes.txt")),
      ...(ok ? {} : { why: "the file is not precious" }),
    };
  },
  async beforeRestore(_set, { options: { app } }) {
    if (existsSync(path.join(app, "running")))
      throw Object.assign(new Error("the application runs"), { code: "RUNNING" });
  },
  async afterRestore(set, { options }) {
    writeFileSync(path.join(options.app, "data/restored"), set.id);
  },
  async abort(tx, _token, { options }) {
    if (options.compensates !== true && owner(options) === tx.id) rmSync(flag(options), { force: true });
  },
};

export default misbehaving(writer, ({ app }) => app);
