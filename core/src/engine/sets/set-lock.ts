import { HoldstillError } from "../../base/errors/error.js";
import { Journal } from "../../store/journal.js";
import type { Bench } from "../types.js";

/** Nobody else may expose, conceal, restore or delete the set meanwhile. @throws HoldstillError E_SET_BUSY */
export async function withSetLock<T>(
  { state, catalog, stillness }: Bench,
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  await stillness.calm();
  const lock = Journal.open(state, id);
  if (lock === null) throw new HoldstillError("E_SET_BUSY", { set: id });
  try {
    return await work();
  } finally {
    await stillness.calm();
    // Of a set that somebody had just deleted there would be a journal that tells nothing.
    if (lock.isEmpty && !catalog.has(id)) Journal.forget(state, id);
    lock.close();
  }
}
