import type { ServerResponse } from "node:http";
import type { EventRecord } from "./event-record.js";

/** So that a reader who went away without a word is noticed, and proxies do not give up, ms. */
const beatEvery = 15_000;
/** Who takes nothing for so long is cut off; he may come back and go on where he was, ms. */
const patience = 60_000;

/**
 * Sends events as server-sent events (WHATWG HTML, 9.2), their numbers as ids. Nothing is buffered for a reader beyond what Node
 * buffers for any response: who reads slowly is served slowly, and whoever runs the transaction never waits for him.
 */
export function streamEvents(record: EventRecord, from: number, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.flushHeaders();
  let next = from;
  let takenAt = performance.now();
  const send = (): void => {
    while (!response.destroyed && !response.writableEnded && !response.writableNeedDrain) {
      const event = record.at(next);
      if (event === "later") return;
      if (event === "never") response.end();
      else if (event === "gone") response.destroy();
      else {
        response.write(`id: ${next}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
        next += 1;
      }
    }
  };
  const beat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(": still here\n\n");
    else if (performance.now() - takenAt > patience) response.destroy();
  }, beatEvery);
  const stop = record.onMore(send);
  response.on("drain", () => {
    takenAt = performance.now();
    send();
  });
  response.once("close", () => {
    clearInterval(beat);
    stop();
  });
  send();
}
