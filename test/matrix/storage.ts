import type { TestContext } from "node:test";

/** A kind of storage, with the provider that is made for it. */
export interface Storage {
  readonly name: string;
  /** Whether its volumes share an instant: then applications that need one can be captured. */
  readonly cut: "atomic" | "fuzzy";
  /** Whether its provider can put a volume back. */
  readonly reverts: "reverts" | "reverts what has no fork" | "cannot revert";
  /** Makes a volume for a test; undefined where this machine cannot, and the test is skipped then. */
  readonly lay: (t: TestContext) => StorageVolume | undefined;
}

export interface StorageVolume {
  /** Where it is mounted. */
  readonly mount: string;
  /** The config's blocks of its provider; none for the default one. */
  readonly plugins: readonly object[];
  /** All that a snapshot may change or leave behind. */
  readonly state: () => unknown;
  readonly unmount: () => void;
  readonly remount: () => void;
}
