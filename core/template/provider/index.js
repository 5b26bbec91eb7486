// A provider that copies. All that it knows is in its store, so that a blank worker can go on where another one died:
//
//   STORE/SET.partial/volumes.json   while the set is made
//   STORE/SET/volumes.json           once it is sealed
//   STORE/SET/0/srv/data             the copy of /srv/data, of the first volume
import { access, mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";

/** @typedef {{ store: string }} Options */

const partial = (store, setId) => path.join(store, `${setId}.partial`);
const sealed = (store, setId) => path.join(store, setId);
const volumesOf = async (dir) => JSON.parse(await readFile(path.join(dir, "volumes.json"), "utf8"));
const exists = (file) =>
  access(file).then(
    () => true,
    () => false,
  );

/** @type {import("holdstill/plugin").Provider<Options>} */
const provider = {
  async match(_volume, { options }) {
    return { pointInTime: false, atomicGroup: false, method: "copy", where: options.store };
  },

  async prepare(tx, volumes, { options }) {
    const dir = partial(options.store, tx.id);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await writeFile(path.join(dir, "volumes.json"), JSON.stringify(volumes));
    // Nothing for the kernel to hold; the picture is taken by our own commit.
    return { hold: [], commit: [{ op: "plugin" }] };
  },

  async commit(tx, ctx) {
    const dir = partial(ctx.options.store, tx.id);
    for (const [at, { paths }] of (await volumesOf(dir)).entries()) {
      for (const from of paths) {
        const to = path.join(dir, String(at), from);
        await mkdir(path.dirname(to), { recursive: true, mode: 0o700 });
        ctx.progress(`copy of ${from}`);
        const { exitCode, stderr } = await ctx.exec("cp", ["-a", "--reflink=auto", "-T", "--", from, to]);
        if (exitCode !== 0)
          throw failure("COPY_FAILED", stderr.trim(), "See that it may be read, and that there is space.");
      }
    }
  },

  async seal(tx, { options: { store } }) {
    if (await exists(partial(store, tx.id))) await rename(partial(store, tx.id), sealed(store, tx.id));
    return snapshotsIn(store, tx.id);
  },

  async abort(tx, { options: { store } }) {
    for (const dir of [partial(store, tx.id), sealed(store, tx.id)]) await rm(dir, { recursive: true, force: true });
  },

  async list({ options: { store } }) {
    if (!(await exists(store))) return [];
    const sets = (await readdir(store)).filter((name) => !name.endsWith(".partial"));
    return (await Promise.all(sets.map((setId) => snapshotsIn(store, setId)))).flat();
  },

  async expose(snapshot, _view, { options: { store } }) {
    const [found] = (await snapshotsIn(store, snapshot.setId)).filter(({ id }) => id === snapshot.id);
    if (found === undefined)
      throw failure("UNKNOWN_SNAPSHOT", `There is no ${snapshot.id}.`, "`holdstill providers` lists all.");
    const { folder, paths } = found.facts;
    return { trees: paths.map((original) => ({ original, path: path.join(folder, original) })), readOnly: false };
  },

  // A copy lies open anyway: there is nothing to undo.
  async conceal() {},

  async remove(snapshot, { options: { store } }) {
    const [found] = (await snapshotsIn(store, snapshot.setId)).filter(({ id }) => id === snapshot.id);
    if (found === undefined) return;
    await rm(found.facts.folder, { recursive: true });
    const left = await snapshotsIn(store, snapshot.setId);
    if (left.length === 0) await rm(sealed(store, snapshot.setId), { recursive: true });
  },
};
export default provider;

/** What is there of a set: one snapshot for each volume whose copy has not been removed. */
async function snapshotsIn(store, setId) {
  const dir = sealed(store, setId);
  if (!(await exists(path.join(dir, "volumes.json")))) return [];
  const createdAt = (await stat(path.join(dir, "volumes.json"))).mtime.toISOString();
  const snapshots = [];
  for (const [at, { id: volumeId, paths }] of (await volumesOf(dir)).entries()) {
    const folder = path.join(dir, String(at));
    if (!(await exists(folder))) continue;
    snapshots.push({ id: `${setId}.${at}`, setId, volumeId, createdAt, method: "copy", facts: { folder, paths } });
  }
  return snapshots;
}

/** An error with a code, a sentence and the next step: the host shows all three. */
function failure(code, message, hint) {
  return Object.assign(new Error(message), { code, hint });
}
