const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** The longest duration that a config may name, ms. */
export const longestMs = 24 * units.h;

/** A duration of the config in whole ms; undefined if it is not valid, shorter than 1 ms, or longer than 24 h. */
export function parseDuration(text: unknown): number | undefined {
  const ms = typeof text === "number" ? text : fromText(text);
  return ms !== undefined && ms >= 1 && ms <= longestMs ? Math.round(ms) : undefined;
}

function fromText(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const [, amount, unit] = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * units[unit as keyof typeof units];
}
