/** Names are shorter, in characters, and there are fewer of them. Beyond that nothing is searched: the time grows with both. */
const most = { length: 100, candidates: 1000 };

/** The candidate of which `word` is most likely a misspelling; undefined: there is none. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > most.length) return undefined;
  let best: { name: string; distance: number } | undefined;
  let seen = 0;
  for (const name of candidates) {
    if ((seen += 1) > most.candidates) break;
    // The distance is at least the difference of the lengths.
    if (name.length > most.length || Math.abs(name.length - word.length) > tolerated(name)) continue;
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance <= tolerated(name) && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

/** One error in a short name, one in three letters of a longer one. */
function tolerated(name: string): number {
  return Math.max(1, Math.floor(name.length / 3));
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
          ? at(beforeLast, column - 2) + 1
          : Infinity;
      current.push(Math.min(at(last, column) + 1, at(current, column - 1) + 1, replaced, swapped));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
