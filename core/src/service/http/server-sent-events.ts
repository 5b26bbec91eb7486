import type { ServerResponse } from "node:http";

/** Time between two comments, so that a connection that is gone is noticed and proxies keep the others, ms. */
const beatEvery = 15_000;
/** A reader that takes nothing for this long is disconnected, ms. It may reconnect and continue. */
const patience = 60_000;

export interface ServerSentEvent {
  id?: number;
  type: string;
  data: unknown;
}

/** A response that is a stream of server-sent events. */
export interface ServerSentEvents {
  /** Whether the reader takes more; if not, `onWritable` is called once it does. */
  readonly isWritable: boolean;
  send(event: ServerSentEvent): void;
  end(): void;
  /** Ends the connection without the end of the stream, so that the reader notices that events are missing. */
  destroy(): void;
}

/**
 * Begins a stream of server-sent events (WHATWG HTML, 9.2), and keeps it alive. It buffers no more than Node.js buffers for any
 * response: a slow reader gets events slowly, and a transaction never waits for it.
 */
export function startEventStream(
  response: ServerResponse,
  { onWritable, onClose }: { onWritable: () => void; onClose: () => void },
): ServerSentEvents {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.flushHeaders();
  let takenAt = performance.now();
  const beat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(": still here\n\n");
    else if (performance.now() - takenAt > patience) response.destroy();
  }, beatEvery);
  response.on("drain", () => {
    takenAt = performance.now();
    onWritable();
  });
  response.once("close", () => {
    clearInterval(beat);
    onClose();
  });
  return {
    get isWritable() {
      return !response.destroyed && !response.writableEnded && !response.writableNeedDrain;
    },
    send({ id, type, data }) {
      const idLine = id === undefined ? "" : `id: ${id}\n`;
      response.write(`${idLine}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    end: () => void response.end(),
    destroy: () => void response.destroy(),
  };
}
