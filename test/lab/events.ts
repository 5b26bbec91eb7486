/** What a guest tells the host, one JSON document a line. */
export type LabEvent =
  /** The kernel runs and Node has started in it. */
  | { readonly event: "booted"; readonly kernel: string }
  | TestEvent
  | Measured
  /** A figure that a test tells beside its outcome: t.diagnostic. */
  | { readonly event: "told"; readonly text: string }
  /** The process of one test file has ended; `code` null: by a signal, or it could not be ended. */
  | { readonly event: "ended"; readonly file: string; readonly code: number | null; readonly why: string }
  /** The last one. */
  | { readonly event: "done" };

/** One test of node:test; those in a test bear its name too: "outer > inner". */
export interface TestEvent {
  readonly event: "passed" | "failed" | "skipped";
  readonly name: string;
  readonly durationMs: number;
  /** Of a failed test its error, of a skipped one the reason. */
  readonly detail: string;
}

/** One sample of a bench that runs in the guest. */
export interface Measured {
  readonly event: "measured";
  /** The table that it belongs to. */
  readonly table: string;
  readonly case: string;
  readonly way: string;
  readonly ms: number;
}

/** One line from the guest; undefined for anything else, for example what is left of a line by a guest that was killed. */
export function parseEvent(line: string): LabEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEvent(value: unknown): value is LabEvent {
  if (typeof value !== "object" || value === null || !("event" in value)) return false;
  const fields = value as Record<string, unknown>;
  switch (fields["event"]) {
    case "booted":
      return typeof fields["kernel"] === "string";
    case "passed":
    case "failed":
    case "skipped":
      return (
        typeof fields["name"] === "string" &&
        typeof fields["durationMs"] === "number" &&
        typeof fields["detail"] === "string"
      );
    case "measured":
      return (
        ["table", "case", "way"].every((name) => typeof fields[name] === "string") && typeof fields["ms"] === "number"
      );
    case "ended": {
      const codeIsSound = fields["code"] === null || typeof fields["code"] === "number";
      return codeIsSound && typeof fields["file"] === "string" && typeof fields["why"] === "string";
    }
    case "told":
      return typeof fields["text"] === "string";
    case "done":
      return true;
    default:
      return false;
  }
}
