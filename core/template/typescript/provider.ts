// A provider that copies. Its whole state is in its store, so that a new worker can continue where another one died:
//
//   STORE/SET.partial/volumes.json   while the set is made
//   STORE/SET/volumes.json           once it is sealed
//   STORE/SET/0/srv/data             the copy of /srv/data, of the first volume
import { access, chmod, chown, mkdir, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Context, Provider, Snapshot, Volume } from "holdstill/plugin";
import { writeDurably } from "#kit/durable-file.js";
import { PluginError } from "#kit/plugin-error.js";

/** As plugin.json describes them; the host has checked them. */
interface Options {
  store: string;
}

/** One volume's part of a set. */
interface Copy {
  folder: string;
  paths: string[];
  snapshot: Snapshot;
}

const partial = (store: string, setId: string): string => path.join(store, `${setId}.partial`);
const sealed = (store: string, setId: string): string => path.join(store, setId);

const provider: Provider<Options> = {
  async match(_volume, { options }) {
    return { pointInTime: false, method: "copy", where: options.store };
  },

  async prepare(tx, volumes, { options }) {
    const dir = partial(options.store, tx.id);
    // Other users may pass to the copies, which have the modes of their originals: an application reads its own files there.
    await mkdir(dir, { mode: 0o711 });
    writeDurably(path.join(dir, "volumes.json"), JSON.stringify(volumes));
    // The kernel holds nothing. The snapshot is taken by `commit` below.
    return { hold: [], commit: [{ op: "plugin" }] };
  },

  async commit(tx, ctx) {
    const dir = partial(ctx.options.store, tx.id);
    for (const [at, { paths }] of (await volumesIn(dir)).entries()) {
      const to = path.join(dir, String(at));
      await mkdir(to, { mode: 0o711 });
      for (const from of paths) {
        ctx.progress(`copy of ${from}`);
        await makeParents(from, to);
        await copy(from, path.join(to, from), ctx);
      }
    }
  },

  async seal(tx, { options: { store } }) {
    await rename(partial(store, tx.id), sealed(store, tx.id));
    return (await copiesIn(store, tx.id)).map(({ snapshot }) => snapshot);
  },

  async abort(tx, { options: { store } }) {
    for (const dir of [partial(store, tx.id), sealed(store, tx.id)]) await rm(dir, { recursive: true, force: true });
  },

  async list({ options: { store } }) {
    await assertThere(store);
    const sets = (await readdir(store)).filter((name) => !name.endsWith(".partial"));
    const copies = await Promise.all(sets.map((setId) => copiesIn(store, setId)));
    return copies.flat().map(({ snapshot }) => snapshot);
  },

  async expose({ id, setId }, { access }, ctx) {
    const found = (await copiesIn(ctx.options.store, setId)).find(({ snapshot }) => snapshot.id === id);
    if (found === undefined) {
      await assertThere(ctx.options.store);
      throw new PluginError(
        "UNKNOWN_SNAPSHOT",
        `The snapshot ${id} does not exist.`,
        "`holdstill providers` lists all.",
      );
    }
    // The copy is readable anyway; only what is thrown away later needs a separate place.
    const shown = access === "scratch" ? await scratchOf(found.folder, ctx) : found.folder;
    return { trees: found.paths.map((original) => ({ original, path: path.join(shown, original) })), readOnly: false };
  },

  async unexpose({ id, setId }, { options: { store } }) {
    const found = (await copiesIn(store, setId)).find(({ snapshot }) => snapshot.id === id);
    if (found === undefined) return assertThere(store);
    await throwAway(found.folder);
  },

  async remove({ id, setId }, { options: { store } }) {
    const found = (await copiesIn(store, setId)).find(({ snapshot }) => snapshot.id === id);
    if (found === undefined) return assertThere(store);
    await throwAway(found.folder);
    await rm(found.folder, { recursive: true });
    if ((await copiesIn(store, setId)).length === 0) await rm(sealed(store, setId), { recursive: true });
  },
};
export default provider;

/** A store that is not mounted is not a store without snapshots. */
async function assertThere(store: string): Promise<void> {
  if (await exists(store)) return;
  throw new PluginError("UNREACHABLE", `The store ${store} does not exist.`, "Mount its file system.");
}

/** The folders above a copy, in which users can enter what they can enter in the originals, and no more. */
async function makeParents(from: string, root: string): Promise<void> {
  let at = "/";
  for (const name of path.dirname(from).split("/").filter(Boolean)) {
    at = path.join(at, name);
    const { uid, gid, mode } = await stat(at);
    const to = path.join(root, at);
    await mkdir(to, { recursive: true, mode: 0o700 });
    if (process.geteuid?.() === 0) await chown(to, uid, gid);
    await chmod(to, mode & 0o7777);
  }
}

async function copy(from: string, to: string, ctx: Context<Options>): Promise<void> {
  const { exitCode, stderr } = await ctx.exec("cp", ["-a", "--reflink=auto", "-T", "--", from, to]);
  if (exitCode !== 0)
    throw new PluginError(
      "COPY_FAILED",
      stderr.trim(),
      "Make sure that it may be read, and that there is enough space.",
    );
}

/** A copy of the copy, which unexpose throws away. It has its name once it is whole. */
async function scratchOf(folder: string, ctx: Context<Options>): Promise<string> {
  const scratch = `${folder}.scratch`;
  if (await exists(scratch)) return scratch;
  await throwAway(folder);
  await copy(folder, `${scratch}.partial`, ctx);
  await rename(`${scratch}.partial`, scratch);
  return scratch;
}

async function throwAway(folder: string): Promise<void> {
  for (const end of ["scratch", "scratch.partial"]) await rm(`${folder}.${end}`, { recursive: true, force: true });
}

/** The copies of a sealed set that have not been removed: one for each volume. */
async function copiesIn(store: string, setId: string): Promise<Copy[]> {
  const dir = sealed(store, setId);
  const notes = path.join(dir, "volumes.json");
  if (!(await exists(notes))) return [];
  const createdAt = (await stat(notes)).mtime.toISOString();
  const copies: Copy[] = [];
  for (const [at, { id: volumeId, paths }] of (await volumesIn(dir)).entries()) {
    const folder = path.join(dir, String(at));
    const snapshot = { id: `${setId}.${at}`, setId, volumeId, createdAt, method: "copy", facts: { folder } };
    if (await exists(folder)) copies.push({ folder, paths, snapshot });
  }
  return copies;
}

async function volumesIn(dir: string): Promise<Volume[]> {
  return JSON.parse(await readFile(path.join(dir, "volumes.json"), "utf8")) as Volume[];
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
