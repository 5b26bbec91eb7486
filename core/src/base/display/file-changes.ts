import type { FileChange } from "../errors/details.js";

/** The first files by name, the others as a number: an update changes hundreds. */
export function fileChanges(changes: readonly FileChange[]): string {
  if (changes.length === 0) return "its digest does not match the digests of its files";
  const first = changes.slice(0, 3).map(({ file, change }) => `${file} was ${change}`);
  return [...first, ...(changes.length > 3 ? [`and ${changes.length - 3} more`] : [])].join(", ");
}
