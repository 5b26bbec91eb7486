/** A provider whose snapshots are clones of a file system's image: ID, beside it ID.json, and ID.at while it is mounted. */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const file = ({ store }, id) => path.join(store, id);
const read = (options, id) => JSON.parse(readFileSync(`${file(options, id)}.json`, "utf8"));
const write = (options, { paths, ...snapshot }) =>
  writeFileSync(`${file(options, snapshot.id)}.json`, JSON.stringify({ paths, snapshot }));

async function run({ exec }, command, ...args) {
  const { exitCode, stderr } = await exec(command, args);
  if (exitCode !== 0) throw new Error(stderr);
}

async function conceal({ id }, ctx) {
  const note = `${file(ctx.options, id)}.at`;
  if (!existsSync(note)) return;
  await run(ctx, "umount", readFileSync(note, "utf8"));
  rmSync(note);
}

async function remove(snapshot, ctx) {
  await conceal(snapshot, ctx);
  for (const suffix of ["", ".json"]) rmSync(file(ctx.options, snapshot.id) + suffix, { force: true });
}

export default {
  async match({ mountPoint }, { options: { mount } }) {
    if (mountPoint !== mount) return null;
    const hold = [{ kind: "fs", mount }];
    return { pointInTime: true, atomicGroup: true, writable: true, method: "image clone", hold };
  },
  async prepare({ id }, [{ id: volumeId, paths }], { options }) {
    write(options, { id, setId: id, volumeId, createdAt: new Date().toISOString(), paths });
    return { hold: [{ kind: "fs", mount: options.mount }], commit: [{ op: "plugin" }] };
  },
  async commit({ id }, ctx) {
    await run(ctx, "cp", "--reflink=always", ctx.options.image, file(ctx.options, id));
  },
  async seal({ id }, { options }) {
    return [read(options, id).snapshot];
  },
  async abort({ id }, ctx) {
    for (const one of [id, `${id}-fork`]) await remove({ id: one }, ctx);
  },
  async list({ options }) {
    const ids = readdirSync(options.store).filter((name) => existsSync(`${file(options, name)}.json`));
    return ids.map((id) => read(options, id).snapshot);
  },
  async fork(snapshot, ctx) {
    const id = `${snapshot.id}-fork`;
    await run(ctx, "cp", "--reflink=always", file(ctx.options, snapshot.id), file(ctx.options, id));
    const fork = { ...snapshot, id, of: snapshot.id };
    write(ctx.options, { ...fork, paths: read(ctx.options, snapshot.id).paths });
    return fork;
  },
  async expose({ id }, { at }, ctx) {
    const { mount } = ctx.options;
    const note = `${file(ctx.options, id)}.at`;
    if (!existsSync(note)) {
      await run(ctx, "mount", "-o", "loop", file(ctx.options, id), at);
      writeFileSync(note, at);
    }
    const point = readFileSync(note, "utf8");
    const { paths } = read(ctx.options, id);
    const trees = paths.map((original) => ({ original, path: path.join(point, path.relative(mount, original)) }));
    return { trees, readOnly: false };
  },
  conceal,
  remove,
};
