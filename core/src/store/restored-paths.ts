import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { type PathSwap, swapIntoPlace } from "./swap-into-place.js";
import type { WriteGate } from "./write-gate.js";

/** The places that a restore copies to. */
export class RestoredPaths {
  readonly #gate: WriteGate;

  constructor(gate: WriteGate) {
    this.#gate = gate;
  }

  /** Makes way for a copy: removes what an earlier restore left there, and makes the folder around the target. */
  async clear({ draft, to }: Pick<PathSwap, "draft" | "to">): Promise<void> {
    await this.#gate.write(() => {
      rmSync(draft, { recursive: true, force: true });
      mkdirSync(path.dirname(to), { recursive: true });
    });
  }

  /** Removes copies that did not take their place. */
  async discard(drafts: readonly string[]): Promise<void> {
    await this.#gate.write(() => {
      for (const draft of drafts) rmSync(draft, { recursive: true, force: true });
    });
  }

  /** Puts every copy in its place. @throws HoldstillError E_RESTORE after everything was put back, as far as possible. */
  swap(steps: readonly PathSwap[]): Promise<void> {
    return swapIntoPlace(steps, this.#gate);
  }
}
