/** Times in ms, for a diagnostic. */
export function medianAndMax(all: readonly number[]): string {
  const sorted = all.toSorted((a, b) => a - b);
  const [half = 0, most = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `p50 ${half.toFixed(0)} ms, max ${most.toFixed(0)} ms (${all.length})`;
}
