/** What stands in place of a secret. */
const hidden = "(hidden)";
/** A shorter one is found only where it is a whole text: parts of every other word are like it. */
const SHORTEST = 6;

/** Takes a plugin's secrets out of what it says, whatever it says: text, data, also with the secret in an encoding of the trade. */
export function redactor(secrets: readonly string[]): <T>(said: T) => T {
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
  if (whole.size === 0) return (said) => said;

  const text = (said: string): string =>
    whole.has(said) ? hidden : parts.reduce((rest, secret) => rest.replaceAll(secret, hidden), said);
  const redact = (said: unknown, parents: readonly object[]): unknown => {
    if (typeof said === "string") return text(said);
    if (typeof said !== "object" || said === null || parents.includes(said)) return said;
    const within = [...parents, said];
    if (Array.isArray(said)) return said.map((one) => redact(one, within));
    // What is no plain data is refused later, or shown as what it is called.
    if (Object.getPrototypeOf(said) !== Object.prototype) return said;
    return Object.fromEntries(Object.entries(said).map(([name, one]) => [text(name), redact(one, within)]));
  };
  return (said) => redact(said, []) as typeof said;
}
