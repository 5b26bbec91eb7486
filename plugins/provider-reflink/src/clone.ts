import type { Context } from "holdstill/plugin";
import { closeFolder, flush, makeFolder } from "./folder.js";
import { PluginError } from "./errors.js";
import { folderOf, type Entry, type Registry } from "./registry.js";
import { assertSpace } from "./space.js";
import { survey } from "./survey.js";

/**
 * Makes a second copy of a snapshot in the same store. fork: a snapshot of the same set. scratch: thrown away with the exposure
 * that it is made for.
 */
export async function clone(source: Entry, as: "fork" | "scratch", registry: Registry, ctx: Context): Promise<Entry> {
  const { store, method } = source;
  const seen = await survey([folderOf(source)], [], ctx);
  assertSpace([{ place: { store, method }, seen }]);
  const id = registry.nextId(source.setId);
  const createdAt = new Date().toISOString();
  const planned = registry.write({ ...source, id, copy: { of: source.id, as }, state: "planned", createdAt });
  makeFolder(planned);
  const made = registry.write({ ...planned, state: "made" });
  // No other user can enter the new folder. cp gives it the mode of the old one when everything is copied.
  const args = ["-a", "-x", "--sparse=auto", "--reflink=auto", "-T", "--", folderOf(source), folderOf(made)];
  const { exitCode, stderr } = await ctx.exec("cp", args);
  closeFolder(folderOf(made));
  if (exitCode !== 0) {
    const message = `cp failed: ${stderr.trim() || "it printed nothing"}`;
    throw new PluginError("COPY_FAILED", message, "Fix what cp reports, and try again.");
  }
  if (as === "fork") await flush(folderOf(made), ctx);
  return registry.write({ ...made, state: "sealed" });
}
