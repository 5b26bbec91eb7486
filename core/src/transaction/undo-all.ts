/** Undoes one after another; a failure never stops the next one. @throws the first error, after the last undo. */
export async function undoAll<T>(all: Iterable<T>, undo: (one: T) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  for (const one of all) await undo(one).catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}
