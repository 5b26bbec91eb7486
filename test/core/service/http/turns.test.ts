/** What one connection, and one user, get at a time. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import test from "node:test";
import { oneAtATime, UserTurns } from "#core/service/http/turns.js";
import { onEnd } from "../../../support/process/on-end.js";

test("pipelined requests are begun one after the other, and too many of them close the connection", async (t) => {
  const open: ServerResponse[] = [];
  const server = createServer(oneAtATime((_, response) => void open.push(response))).listen(0, "127.0.0.1");
  onEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const begun = async (count: number): Promise<void> => {
    while (open.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3));
  for (const count of [1, 2, 3]) {
    await begun(count);
    assert.equal(open.length, count);
    open[count - 1]?.end(`answer ${count}`);
  }
  socket.destroy();
  const greedy = connect(port, "127.0.0.1");
  greedy.on("error", () => undefined).write("GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(60));
  await once(greedy, "close");
  assert.ok(open.length <= 4, `${open.length}`);
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** As much of a response as turns look at. */
class FakeResponse extends EventTarget {
  closed = false;
  once(name: string, listener: () => void): void {
    this.addEventListener(name, listener, { once: true });
  }
  close(): void {
    this.closed = true;
    this.dispatchEvent(new Event("close"));
  }
}

test("a user has eight calls at a time, others and root do not wait for them, and each end lets the next begin", async () => {
  const turns = new UserTurns();
  const begun: string[] = [];
  const call = (uid: number, name: string): FakeResponse => {
    const response = new FakeResponse();
    void turns.take(uid, response as unknown as ServerResponse).then(() => begun.push(name));
    return response;
  };
  const first = Array.from({ length: 10 }, (_, n) => call(1000, `a${n}`));
  call(1001, "b");
  for (let n = 0; n < 20; n += 1) call(0, `root${n}`);
  await settled();
  assert.equal(begun.filter((name) => name.startsWith("a")).length, 8);
  assert.equal(begun.filter((name) => name === "b" || name.startsWith("root")).length, 21);
  // A client that has left while it waited does not keep its turn.
  first[8]?.close();
  first[0]?.close();
  await settled();
  first[1]?.close();
  await settled();
  assert.ok(begun.includes("a9"));
  assert.equal(begun.filter((name) => name.startsWith("a")).length, 10);
});
