/** Replaces a secret. */
const hidden = "(hidden)";
/** A shorter secret is replaced only if it is the whole text, because parts of many words are equal to it. */
const SHORTEST = 6;

/** Removes a plugin's secrets from its results, messages, and errors, also if they are encoded in a usual way. */
export function redactor(secrets: readonly string[]): <T>(value: T) => T {
  const whole = new Set(secrets.filter((secret) => secret !== ""));
  const parts = [...whole]
    .filter((secret) => secret.length >= SHORTEST)
    .flatMap((secret) => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64"),
      ...secret.split("\n").filter((line) => line.length >= SHORTEST),
    ])
    .toSorted((a, b) => b.length - a.length);
  if (whole.size === 0) return (value) => value;

  const text = (value: string): string =>
    whole.has(value) ? hidden : parts.reduce((rest, secret) => rest.replaceAll(secret, hidden), value);
  const redact = (value: unknown, parents: readonly object[]): unknown => {
    if (typeof value === "string") return text(value);
    if (typeof value !== "object" || value === null || parents.includes(value)) return value;
    const within = [...parents, value];
    if (Array.isArray(value)) return value.map((one) => redact(one, within));
    // What is not plain data is refused later, or shown by its name.
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [text(name), redact(one, within)]));
  };
  return (value) => redact(value, []) as typeof value;
}
