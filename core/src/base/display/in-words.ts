/** "a, b, or c" */
export function inWords(words: readonly string[], conjunction: "or" | "and" = "or"): string {
  const [last = ""] = words.slice(-1);
  if (words.length < 2) return last;
  const others = words.slice(0, -1).join(", ");
  return `${others}${words.length > 2 ? "," : ""} ${conjunction} ${last}`;
}
