/** What a plugin says is cut here, characters: one that prints no line ends must not fill the host's memory. */
export const LONGEST = 8192;

/** Cuts a stream of text into lines. */
export function lines(onLine: (line: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > LONGEST) {
      parts.push(rest);
      rest = "";
    }
    for (const line of parts) if (line.trim() !== "") onLine(line.slice(0, LONGEST));
  };
}
