import { mkdirSync } from "node:fs";
import path from "node:path";
import { Catalog } from "./catalog.js";
import { History } from "./history.js";
import { takeReserve } from "./space-reserve.js";
import { asStateError, makeStateDir, type StateDir, stateDir } from "./state-directory.js";
import { type Pausable, WriteGate } from "./write-gate.js";

/** What is recorded of sets and transactions. Commands that only read load no more of the store than this. */
export class Records {
  readonly state: StateDir;
  readonly gate: WriteGate;
  readonly catalog: Catalog;
  readonly history: History;

  constructor(root: string, log: Pausable | null) {
    this.state = stateDir(root);
    this.gate = new WriteGate(log);
    this.catalog = new Catalog(this.state, this.gate);
    this.history = new History(this.state, this.gate);
  }

  /** Makes the state directory, with a data folder for each plugin instance. @throws HoldstillError E_STATE_DIR */
  async prepare(instances: readonly string[] = []): Promise<void> {
    await this.gate.write(() => {
      makeStateDir(this.state);
      asStateError(this.state, () => {
        for (const instance of instances)
          mkdirSync(path.join(this.state.plugins, instance), { recursive: true, mode: 0o700 });
        takeReserve(this.state);
      });
    });
  }
}
