import { HoldstillError } from "../../base/errors/error.js";
import { Journal } from "../../store/journal.js";
import type { EngineContext } from "../types.js";

/** Nobody else may expose, unexpose, restore or delete the set meanwhile. @throws HoldstillError E_SET_BUSY */
export async function withSetLock<T>(
  { state, catalog, writeGate }: EngineContext,
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  await writeGate.pass();
  const lock = Journal.open(state, id);
  if (lock === null) throw new HoldstillError("E_SET_BUSY", { set: id });
  try {
    return await work();
  } finally {
    await writeGate.pass();
    // Of a set that somebody had just deleted there would be a journal that tells nothing.
    if (lock.isEmpty && !catalog.has(id)) Journal.forget(state, id);
    lock.close();
  }
}
