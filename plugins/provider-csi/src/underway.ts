import type { Connection } from "./connection.js";
import { type Cut, discard, idsOf, take } from "./cut.js";
import { PluginError } from "./errors.js";
import { again, leavesOpen } from "./failure.js";
import type { Made } from "./look.js";

/**
 * What is known of a request to the driver. refused: nothing was made. made: the answer has the ids. open: it may have been sent, and
 * what became of it is not known.
 */
type Request = { state: "not-sent" | "refused" | "open" } | { state: "made"; made: Made; at: Date };

/** The requests of this worker, by the name of the cut. One worker exists from prepare to seal; a new one knows nothing. */
const requests = new Map<string, Request>();

/** To be called before a request that this worker may make. */
export function plan(cut: Cut): void {
  requests.set(cut.name, { state: "not-sent" });
}

/** @throws PluginError. What is known then is kept for `undo`. */
export async function request(cut: Cut, connection: Connection): Promise<void> {
  const at = new Date();
  requests.set(cut.name, { state: "open" });
  try {
    requests.set(cut.name, { state: "made", made: await take(cut, connection), at });
  } catch (error) {
    if (!leavesOpen(error)) requests.set(cut.name, { state: "refused" });
    throw error;
  }
}

/** What was made, and when it was asked for. @throws PluginError UNKNOWN_SNAPSHOT */
export function madeOf({ name }: Cut): { made: Made; at: Date } {
  const known = requests.get(name);
  if (known?.state === "made") return known;
  throw new PluginError("UNKNOWN_SNAPSHOT", `${name} was not taken.`, "Take the set again.");
}

/** Deletes what a request has made, or may have made. */
export async function undo(cut: Cut, connection: Connection): Promise<void> {
  const known = requests.get(cut.name) ?? { state: "open" };
  const made = await resultOf(known, cut, connection);
  if (made !== null) await discard(idsOf(made), connection);
  requests.delete(cut.name);
}

/** What there is to delete; null: nothing. At worst, the same request again makes what is then deleted. */
async function resultOf(known: Request, cut: Cut, connection: Connection): Promise<Made | null> {
  switch (known.state) {
    case "not-sent":
    case "refused":
      return null;
    case "made":
      return known.made;
    case "open":
      return again(take(cut, connection));
  }
}
