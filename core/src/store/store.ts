import { Audit } from "./audit.js";
import type { Catalog } from "./catalog.js";
import { ExposureFolders } from "./exposure-folders.js";
import type { History } from "./history.js";
import { Journals } from "./journals.js";
import { LeaseFiles } from "./lease.js";
import type { Records } from "./records.js";
import { Sidecars } from "./sidecar.js";
import type { StateDir } from "./state-directory.js";
import { Tombstones } from "./tombstones.js";
import { VolumeLocks } from "./volume-lock.js";
import type { WriteGate } from "./write-gate.js";

/**
 * All that holdstill writes below its state directory and to exposure folders. Each writing method waits at the write gate, so that
 * nothing is written while a transaction of this process holds volumes. No other room writes files, apart from the exceptions in
 * test/core/imports.test.ts.
 */
export class Store implements Pick<Records, keyof Records> {
  readonly state: StateDir;
  readonly gate: WriteGate;
  readonly catalog: Catalog;
  readonly history: History;
  readonly audit: Audit;
  readonly journals: Journals;
  readonly leases: LeaseFiles;
  readonly volumes: VolumeLocks;
  readonly sidecars: Sidecars;
  readonly exposures: ExposureFolders;
  readonly tombstones: Tombstones;
  readonly #records: Records;

  constructor(records: Records, exposeDir: string) {
    const { state, gate, catalog, history } = records;
    this.#records = records;
    this.state = state;
    this.gate = gate;
    this.catalog = catalog;
    this.history = history;
    this.audit = new Audit(state, gate);
    this.journals = new Journals(state, gate, catalog);
    this.leases = new LeaseFiles(state, gate);
    this.volumes = new VolumeLocks(state, gate);
    this.sidecars = new Sidecars(catalog, gate);
    this.exposures = new ExposureFolders(exposeDir, gate);
    this.tombstones = new Tombstones(state, gate);
  }

  /** See `Records.prepare`. */
  prepare(instances: readonly string[] = []): Promise<void> {
    return this.#records.prepare(instances);
  }
}
