/** A plugin's output is cut after so many characters: output without line ends must not fill the host's memory. */
export const LONGEST_LINE = 8192;

/** Cuts a stream of text into lines. */
export class Lines {
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  take(chunk: string): void {
    const parts = (this.#rest + chunk).split("\n");
    this.#rest = parts.pop() ?? "";
    for (const line of parts) this.#emit(line);
    if (this.#rest.length > LONGEST_LINE) this.end();
  }

  /** The last line may have no line end. */
  end(): void {
    this.#emit(this.#rest);
    this.#rest = "";
  }

  #emit(line: string): void {
    if (line.trim() !== "") this.#onLine(line.slice(0, LONGEST_LINE));
  }
}
