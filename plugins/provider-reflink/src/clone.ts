import type { Context } from "holdstill/plugin";
import { cp } from "./cp.js";
import { PluginError } from "./errors.js";
import { flush, makeFolder, openFolder } from "./folder.js";
import { FILES, filesOf, sourceOf, type Entry, type Registry } from "./registry.js";
import { removeEntry } from "./removal.js";
import { assertSpace } from "./space.js";
import { leaveEntry } from "./stored-entry.js";
import { survey } from "./survey.js";

/**
 * Makes a second copy of a snapshot in the same store. fork: a snapshot of the same set. scratch: thrown away with the exposure
 * that it is made for.
 */
export async function clone(source: Entry, as: "fork" | "scratch", registry: Registry, ctx: Context): Promise<Entry> {
  const { store, method } = source;
  const seen = await survey([filesOf(source)], { exclude: [], mounts: new Set() }, ctx);
  assertSpace([{ place: { store, method }, seen }]);
  const id = registry.nextId(source.setId);
  const createdAt = new Date().toISOString();
  const planned = registry.write({ ...source, id, copy: { of: source.id, as }, state: "planned", createdAt });
  try {
    makeFolder(planned);
    const made = registry.write({ ...planned, state: "made" });
    await copyFiles(source, made, ctx);
    if (as === "fork") await flush(made, ctx);
    const sealed = registry.write({ ...made, state: "sealed" });
    return as === "fork" ? leaveEntry(sealed) : sealed;
  } catch (error) {
    // After an abort the host asks for it. What cannot be removed now is then still in the registry.
    if (!ctx.signal.aborted) await removeEntry(planned, registry, ctx).catch(() => null);
    throw error;
  }
}

/** An owner may change the original meanwhile by way of a view: so links in it are barred here as well. */
async function copyFiles(source: Entry, to: Entry, ctx: Context): Promise<void> {
  using folder = openFolder(source);
  using files = folder?.open(FILES, { owners: "any" });
  if (files === undefined) throw failed(`${filesOf(source)} is gone`);
  const args = ["-a", "-x", "--sparse=auto", "--reflink=auto", "-T", "--", ".", filesOf(to)];
  const { exitCode, stderr } = await cp(files, sourceOf(to), args, ctx);
  if (exitCode !== 0) throw failed(`cp failed: ${stderr.trim() || "it printed nothing"}`);
}

const failed = (what: string): PluginError =>
  new PluginError("COPY_FAILED", `${what}.`, "Fix what cp reports, and try again.");
