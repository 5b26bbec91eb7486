import type { ServerResponse } from "node:http";
import { startEventStream } from "../http/server-sent-events.js";
import type { RunningOperation } from "../operations/operation.js";
import type { Operations } from "../operations/operations.js";

/** An operation, and the number of its next event; 0: the operation itself comes first. */
interface Cursor {
  operation: RunningOperation;
  next: number;
}

/**
 * All present and future operations as one stream of server-sent events: `hello` with the service's clock, then for each operation
 * `operation` and its events from the first on. A reader that reconnects starts again.
 */
export function streamOperations(operations: Operations, response: ServerResponse): void {
  const cursors = new Map<Cursor, () => void>();

  const send = (cursor: Cursor): void => {
    const { operation } = cursor;
    if (cursor.next === 0 && stream.isWritable) {
      stream.send({ type: "operation", data: operation.document });
      cursor.next = 1;
    }
    while (stream.isWritable) {
      const event = operation.events.at(cursor.next);
      if (event === "later") return;
      if (event === "never") {
        cursors.get(cursor)?.();
        cursors.delete(cursor);
        return;
      }
      // The oldest events of a long operation may be gone. The rest is still worth showing.
      if (event !== "gone") stream.send({ type: "event", data: { operation: operation.id, event } });
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

  const stream = startEventStream(response, {
    onWritable() {
      for (const cursor of cursors.keys()) send(cursor);
    },
    onClose() {
      stop();
      for (const end of cursors.values()) end();
    },
  });
  stream.send({ type: "hello", data: { now: new Date().toISOString() } });
  const stop = operations.onBegin(follow);
}
