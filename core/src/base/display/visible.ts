/** Characters that control a terminal, end a line, or change the direction of text. */
const steering = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * A value with every such character in its texts escaped. Names, paths, and messages come from plugins, file systems, and
 * callers. They must not imitate lines or colours of holdstill. It is called on the values, before they are formatted.
 */
export function visible<T>(value: T): T {
  return shown(value) as T;
}

function shown(value: unknown): unknown {
  if (typeof value === "string") return spelled(value);
  if (Array.isArray(value)) return value.map((item: unknown) => shown(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [spelled(key), shown(item)]));
}

export const hasControlCharacters = (text: string): boolean => text.search(steering) !== -1;

export function spelled(text: string): string {
  if (plain.test(text)) return text;
  return text.replaceAll(steering, (character) => {
    if (character === "\n") return String.raw`\n`;
    if (character === "\t") return String.raw`\t`;
    return String.raw`\u` + (character.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
  });
}

/** Nearly every text; this is fifty times faster than with Unicode's properties. */
const plain = /^[ -~]*$/;
