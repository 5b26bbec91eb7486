import { realpathSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Exposed, WriterTransaction } from "holdstill/plugin";
import { isWithin } from "#kit/paths.js";
import { readControl, type Control } from "./control.js";
import { factsOf, type Facts } from "./facts.js";
import { PluginError } from "./errors.js";
import { Folder, type Owner } from "./folder.js";
import { serverFolders } from "./layout.js";

/** A captured folder, and the place of its snapshot. */
export interface PlacedFolder {
  readonly original: string;
  readonly place: string;
}

/** The data directory of a writable snapshot, and the places of the rest of the cluster. */
export class WritableSnapshot {
  readonly facts: Facts;
  readonly dataDir: string;
  readonly folder: Folder;
  /** As many as the component has paths. */
  readonly places: readonly PlacedFolder[];
  /** The paths of the trees that these are in. Unlike what is below them, they are not the user's to replace. */
  readonly roots: readonly string[];
  readonly #exposed: Exposed;

  private constructor(facts: Facts, paths: readonly string[], exposed: Exposed) {
    this.facts = facts;
    this.#exposed = exposed;
    this.dataDir = this.placeOf(facts.dataDir);
    this.places = paths.map((original) => ({ original, place: this.placeOf(original) }));
    this.roots = [...new Set(paths.map((original) => this.#treeOf(original).path))];
    this.folder = Folder.open(this.dataDir);
  }

  /** Opens it, and checks that it is the cluster that was captured. The caller has to close it. */
  static open({ components }: WriterTransaction, exposed: Exposed): WritableSnapshot {
    const [component] = components;
    if (component === undefined) throw snapshotError("no component was captured", "Report this as a bug of holdstill.");
    if (exposed.readOnly)
      throw snapshotError("the snapshot is read-only", "Use a provider that exposes snapshots writable.");
    const snapshot = new WritableSnapshot(factsOf(component), component.paths, exposed);
    try {
      snapshot.#assertOurs();
      return snapshot;
    } catch (error) {
      snapshot.close();
      throw error;
    }
  }

  get owner(): Owner {
    return this.folder.owner;
  }

  control(): Control {
    return readControl(this.folder.at("global/pg_control"));
  }

  /** The path of a captured path's snapshot. */
  placeOf(original: string): string {
    const tree = this.#treeOf(original);
    const place = path.join(tree.path, path.relative(tree.original, original));
    if (isWithin(realpathSync(place), realpathSync(tree.path))) return place;
    throw leadsOut(place);
  }

  #treeOf(original: string): Exposed["trees"][number] {
    const trees = this.#exposed.trees.filter((tree) => isWithin(original, tree.original));
    const [tree] = trees.toSorted((a, b) => b.original.length - a.original.length);
    if (tree === undefined)
      throw snapshotError(`${original} is not in the snapshot`, `Add ${original} to what is captured.`);
    return tree;
  }

  /**
   * Removes every link from the snapshot to the captured cluster: links to tablespaces and WAL lead into the snapshot afterwards,
   * and an unknown link is refused before anything is changed. A server that was started on the snapshot would write where they
   * lead.
   */
  async detach(): Promise<void> {
    const tablespaces = new Map(this.facts.tablespaces.map(({ oid, folder }) => [String(oid), this.placeOf(folder)]));
    if (this.folder.kind("pg_tblspc") === "link") throw leadsOut(path.join(this.dataDir, "pg_tblspc"));
    const links = this.folder.folder("pg_tblspc");
    try {
      for (const entry of links.entries()) {
        if (entry.isSymbolicLink() && !tablespaces.has(entry.name)) throw madeSince(entry.name);
      }
      await this.#refuseLinks();
      for (const [oid, place] of tablespaces) links.link(oid, place);
    } finally {
      links.close();
    }
    if (this.folder.kind("pg_wal") === "link") this.folder.link("pg_wal", this.placeOf(this.facts.walDir));
    // It is that of the captured server. A second server would conclude from it that one runs here.
    this.folder.remove("postmaster.pid");
  }

  close(): void {
    this.folder.close();
  }

  #assertOurs(): void {
    const { uid } = this.owner;
    const { systemIdentifier } = this.control();
    if (systemIdentifier !== this.facts.systemIdentifier) {
      throw snapshotError(
        `${this.dataDir} is a snapshot of another cluster (${systemIdentifier})`,
        "Check what was exposed.",
      );
    }
    const self = process.getuid?.();
    if (uid === 0 || (self !== 0 && uid !== self)) {
      const hint = "Run holdstill as root, or as the server's user; a copy must keep its owner.";
      throw snapshotError(
        `${this.dataDir} belongs to user ${uid}, and holdstill cannot run a server as that user`,
        hint,
      );
    }
  }

  /** What the server writes to must be folders and files. Other links, to a certificate or a log, are not followed. */
  async #refuseLinks(): Promise<void> {
    const written = this.folder.entries().filter(({ name }) => serverFolders.includes(name));
    const link = written.find((entry) => entry.isSymbolicLink() && entry.name !== "pg_wal");
    if (link !== undefined) throw leadsOut(path.join(this.dataDir, link.name));
    const inData = written.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(this.dataDir, name));
    const tablespaces = this.facts.tablespaces.map(({ folder }) => this.placeOf(folder));
    for (const folder of [...inData, ...tablespaces]) {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const below = entries.find((entry) => entry.isSymbolicLink());
      if (below !== undefined) throw leadsOut(path.join(below.parentPath, below.name));
    }
  }
}

function madeSince(oid: string): PluginError {
  const hint = "Take the snapshot again, and make no tablespaces meanwhile.";
  return snapshotError(
    `the tablespace with OID ${oid} was made after the snapshot was planned, and is not in the snapshot`,
    hint,
  );
}

function leadsOut(link: string): PluginError {
  return snapshotError(
    `${link} is a symbolic link, which may lead out of the snapshot`,
    "Make it a tablespace, or a mount; or set the option `repair` to none.",
  );
}

function snapshotError(message: string, hint: string): PluginError {
  return new PluginError("PG_SNAPSHOT", message, hint);
}
