const LINE_END = 10;

/** Cuts the bytes of a socket into messages, one a line. */
export class Frames {
  readonly #limit: number;
  readonly #onFrame: (text: string) => void;
  #parts: Buffer[] = [];
  #length = 0;

  /** `limit`: bytes of one message; a character of JavaScript has at most three. */
  constructor(limit: number, onFrame: (text: string) => void) {
    this.#limit = limit;
    this.#onFrame = onFrame;
  }

  /** False: a message is longer than the limit, and what follows is not looked at. */
  take(chunk: Buffer): boolean {
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, from)) {
      if (!this.#keep(chunk.subarray(from, end))) return false;
      const text = Buffer.concat(this.#parts).toString("utf8");
      [this.#parts, this.#length, from] = [[], 0, end + 1];
      this.#onFrame(text);
    }
    return this.#keep(chunk.subarray(from));
  }

  #keep(part: Buffer): boolean {
    this.#length += part.length;
    if (this.#length > this.#limit) return false;
    if (part.length > 0) this.#parts.push(part);
    return true;
  }
}
