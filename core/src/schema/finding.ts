/** One finding in a document that somebody wrote: a config, a manifest, a plugin's answer. */
export interface Finding {
  file: string;
  /** 1-based; absent where there is no text, or it could not be parsed that far. */
  line?: number;
  /** JSON pointer of the offending value; "" is the whole document. */
  pointer: string;
  seen: string;
  expected: string;
  /** The nearest valid name, if the finding looks like a misspelling. */
  nearest?: string;
}
