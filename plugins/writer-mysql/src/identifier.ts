/** A name as an identifier of the server, whatever it contains (manual, "Schema Object Names"). */
export function identifier(...names: readonly string[]): string {
  return names.map((name) => `\`${name.replaceAll("`", "``")}\``).join(".");
}
