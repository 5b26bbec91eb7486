// A provider for an array with a REST interface. The array has the whole state: what must be known of a snapshot is its label there.
// Only between prepare and commit there is a separate note, in ctx.dataDir.
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { PluginError } from "./kit/plugin-error.js";

/** @typedef {{ url: string, token: string }} Options */

const noteOf = (tx, { dataDir }) => path.join(dataDir, `${tx.id}.json`);

/** @type {import("holdstill/plugin").Provider<Options>} */
const provider = {
  async match({ mountPoint }, ctx) {
    const volume = await ask(ctx, "GET", `/volumes?mount=${encodeURIComponent(mountPoint)}`);
    if (volume === null) return null;
    // The array takes all volumes of a request at once; the kernel holds the file systems, so that they are whole.
    const hold = [{ kind: "fs", mount: mountPoint }];
    const { url } = ctx.options;
    return { pointInTime: true, group: url, hold, method: "array snapshot", where: url };
  },

  async prepare(tx, volumes, ctx) {
    const note = [];
    for (const { id, mountPoint, paths } of volumes) {
      const { name } = await ask(ctx, "GET", `/volumes?mount=${encodeURIComponent(mountPoint)}`);
      note.push({ name, label: { volumeId: id, mountPoint, paths } });
    }
    await writeFile(noteOf(tx, ctx), JSON.stringify(note));
    const hold = volumes.map(({ mountPoint }) => ({ kind: "fs", mount: mountPoint }));
    return { hold, commit: [{ op: "plugin" }] };
  },

  // One request, because applications and file systems are frozen meanwhile.
  async commit(tx, ctx) {
    const volumes = JSON.parse(await readFile(noteOf(tx, ctx), "utf8"));
    // The array's administrator sees more than an id.
    await ask(ctx, "POST", "/snapshots", { group: tx.id, comment: tx.label, volumes });
  },

  async seal(tx, ctx) {
    await rm(noteOf(tx, ctx), { force: true });
    return (await ask(ctx, "GET", `/snapshots?group=${tx.id}`)).map(toSnapshot);
  },

  async abort(tx, ctx) {
    for (const { name } of await ask(ctx, "GET", `/snapshots?group=${tx.id}`))
      await ask(ctx, "DELETE", `/snapshots/${name}`);
    await rm(noteOf(tx, ctx), { force: true });
  },

  async list(ctx) {
    return (await ask(ctx, "GET", "/snapshots")).map(toSnapshot);
  },

  // The array has no throw-away exports: nothing may be written there, except with `writable`.
  async expose({ id }, { access }, ctx) {
    const found = (await ask(ctx, "GET", "/snapshots")).find(({ name }) => name === id);
    const place = found && (await ask(ctx, "PUT", `/snapshots/${id}/export`));
    if (!place)
      throw new PluginError("UNKNOWN_SNAPSHOT", `The array has no ${id}.`, "`holdstill providers` lists all.");
    const { mountPoint, paths } = found.label;
    const trees = paths.map((original) => ({
      original,
      path: path.join(place.path, path.relative(mountPoint, original)),
    }));
    return { trees, readOnly: access !== "writable" };
  },

  async unexpose({ id }, ctx) {
    await ask(ctx, "DELETE", `/snapshots/${id}/export`);
  },

  async remove({ id }, ctx) {
    await ask(ctx, "DELETE", `/snapshots/${id}/export`);
    await ask(ctx, "DELETE", `/snapshots/${id}`);
  },
};
export default provider;

function toSnapshot({ name, group, label, createdAt }) {
  return { id: name, setId: group, volumeId: label.volumeId, createdAt, method: "array snapshot" };
}

/** A request, which ends with the call that it is for. null: the array does not have it. */
async function ask({ options: { url, token }, signal }, method, resource, body) {
  const headers = { authorization: `Bearer ${token}` };
  const given = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${url}${resource}`, { method, headers, signal, ...given }).catch((error) => {
    signal.throwIfAborted();
    const reason = error.cause?.message ?? error.message;
    throw new PluginError(
      "UNREACHABLE",
      `The array at ${url} does not respond: ${reason}.`,
      "Check the array and the network.",
    );
  });
  if (response.status === 404) return null;
  if (response.status === 401)
    throw new PluginError("UNAUTHORIZED", "The array refused the token.", "Check the option `token`.");
  const text = await response.text();
  if (!response.ok)
    throw new PluginError(
      "ARRAY",
      `The array returned ${response.status} for ${method} ${resource}: ${text}`,
      "The log of the array has more.",
    );
  return text === "" ? {} : JSON.parse(text);
}
