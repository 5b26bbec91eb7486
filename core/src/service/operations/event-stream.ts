import type { ServerResponse } from "node:http";
import { startEventStream } from "../http/server-sent-events.js";
import type { EventRecord } from "./event-record.js";

/** Sends the events of one operation, with their numbers as ids, from the number `from` on. */
export function streamEvents(record: EventRecord, from: number, response: ServerResponse): void {
  let next = from;
  const send = (): void => {
    while (stream.isWritable) {
      const event = record.at(next);
      if (event === "later") return;
      if (event === "never") stream.end();
      else if (event === "gone") stream.destroy();
      else {
        stream.send({ id: next, type: event.type, data: event });
        next += 1;
      }
    }
  };
  const stop = record.onMore(send);
  const stream = startEventStream(response, { onWritable: send, onClose: stop });
  send();
}
