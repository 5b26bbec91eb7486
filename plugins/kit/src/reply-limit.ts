import type { Socket } from "node:net";

/** More than any reply that a writer asks for, bytes. */
const MOST = 64 * 1024 * 1024;
/** Between two looks, ms. */
const PAUSE = 50;

/**
 * Does one exchange with a server, and cuts the connection if more comes than any reply has. The user of a server decides what it sends, and
 * a driver keeps a reply as a whole, outside of the heap, whose size is limited.
 */
export async function withReplyLimit<T>(
  socket: Pick<Socket, "bytesRead" | "destroy">,
  exchange: () => Promise<T>,
): Promise<T> {
  const before = socket.bytesRead;
  const timer = setInterval(() => {
    if (socket.bytesRead - before > MOST) socket.destroy(new Error(`the server sent more than ${MOST / 2 ** 20} MiB`));
  }, PAUSE);
  try {
    return await exchange();
  } finally {
    clearInterval(timer);
  }
}
