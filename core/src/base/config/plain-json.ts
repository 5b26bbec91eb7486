/** A JSON text without anything to complain of, many times faster than by way of its lines; undefined where there may be something. */
export function plainJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return propertiesOf(value, 0) === keysIn(text) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Well below the depth that is refused. */
const deepest = 50;

function propertiesOf(value: unknown, depth: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (depth > deepest) return NaN;
  const own = Object.values(value);
  return own.reduce(
    (sum: number, child) => sum + propertiesOf(child, depth + 1),
    Array.isArray(value) ? 0 : own.length,
  );
}

/** A property that comes twice is one of the value and two of the text. In valid JSON only a property's name has a colon after it. */
function keysIn(text: string): number {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/gs)].filter(([, colon]) => colon !== undefined).length;
}
