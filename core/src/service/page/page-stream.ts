import type { ServerResponse } from "node:http";
import type { RunningOperation } from "../operations/operation.js";
import type { Operations } from "../operations/operations.js";

/** So that a page that went away without a word is noticed, ms. */
const beatEvery = 15_000;

/** An operation, and the number of the event that comes next. */
interface Cursor {
  operation: RunningOperation;
  next: number;
}

/**
 * Everything that runs, and will run, as one stream of server-sent events: `hello` with our clock, then for each operation
 * `operation` and its events from the first on. Who comes back begins anew. As with any response, nothing waits for the reader.
 */
export function streamOperations(operations: Operations, response: ServerResponse): void {
  response.flushHeaders();
  const tell = (type: string, data: unknown): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const cursors = new Map<Cursor, () => void>();
  const isFree = (): boolean => !response.destroyed && !response.writableNeedDrain;

  const send = (cursor: Cursor): void => {
    const { operation } = cursor;
    if (cursor.next === 0 && isFree()) {
      tell("operation", operation.document);
      cursor.next = 1;
    }
    while (isFree()) {
      const event = operation.events.at(cursor.next);
      if (event === "later") return;
      if (event === "never") {
        cursors.get(cursor)?.();
        cursors.delete(cursor);
        return;
      }
      // Of one that tells so much the oldest may be gone: the rest is worth seeing.
      if (event !== "gone") tell("told", { operation: operation.id, event });
      cursor.next += 1;
    }
  };
  const follow = (operation: RunningOperation): void => {
    const cursor = { operation, next: 0 };
    cursors.set(
      cursor,
      operation.events.onMore(() => send(cursor)),
    );
    send(cursor);
  };

  tell("hello", { now: new Date().toISOString() });
  const stop = operations.onBegin(follow);
  const beat = setInterval(() => {
    if (isFree()) response.write(": still here\n\n");
  }, beatEvery);
  response.on("drain", () => {
    for (const cursor of cursors.keys()) send(cursor);
  });
  response.once("close", () => {
    clearInterval(beat);
    stop();
    for (const end of cursors.values()) end();
  });
}
