import type { TestContext } from "node:test";
import { makeStateDir, type StateDir, stateDir } from "#core/store/state-directory.js";
import { tempDir } from "./temp.js";

/** A state directory of the test's own. */
export function tempState(t: TestContext): StateDir {
  const state = stateDir(tempDir(t));
  makeStateDir(state);
  return state;
}
