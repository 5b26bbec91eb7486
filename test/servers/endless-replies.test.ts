/** Servers that send without end: their users decide what they send, and holdstill must not keep it in memory. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import path from "node:path";
import test, { type TestContext } from "node:test";
import postgres from "@holdstill/writer-postgres";
import mariadb from "@holdstill/writer-mysql";
import { context } from "../support/fixture/context.js";
import { onEnd } from "../support/process/on-end.js";
import { tempDir } from "../support/storage/temp.js";

/** Sends the same bytes again and again, as fast as they are taken. */
function flood(socket: Socket, chunk: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", more).on("error", () => {});
  more();
}

async function listen(t: TestContext, file: string, serve: (socket: Socket) => void): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  onEnd(t, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

/** Of the protocol of PostgreSQL: a letter, a length, and the rest. */
function message(letter: string, rest: Buffer, length = rest.length + 4): Buffer {
  const head = Buffer.alloc(5);
  head.write(letter);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, rest]);
}

/** Of the protocol of MySQL: a length, a number, and the rest. */
function packet(number: number, bytes: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(bytes.length, 0, 3);
  head.writeUInt8(number, 3);
  return Buffer.concat([head, bytes]);
}

/** What this process has in memory beside its heap, bytes. */
const beside = (): number => process.memoryUsage().external;

test("a reply of PostgreSQL that does not end is cut", async (t) => {
  const dir = tempDir(t);
  await listen(t, path.join(dir, ".s.PGSQL.5432"), (socket) => {
    socket.once("data", () => {
      const accepted = [message("R", Buffer.alloc(4)), message("K", Buffer.alloc(8)), message("Z", Buffer.from("I"))];
      socket.write(Buffer.concat(accepted));
      socket.once("data", () => {
        socket.write(message("D", Buffer.alloc(0), 0x7f_ff_ff_f0));
        flood(socket, Buffer.alloc(1024 * 1024));
      });
    });
  });
  const options = { host: dir, port: 5432, user: "postgres", database: "postgres", tls: "off" } as never;
  const before = beside();
  await assert.rejects(postgres.identify(context(options)), {
    code: "PG_SESSION_LOST",
    message: "the session ended: the server sent more than 64 MiB",
  });
  assert.ok(beside() - before < 1024 ** 3, "no more than what came in the moment before it was noticed");
});

test("so is a reply of MySQL", async (t) => {
  const file = path.join(tempDir(t), "socket");
  await listen(t, file, (socket) => {
    // Protocol 10, version, thread, salt, capabilities with PROTOCOL_41 and SECURE_CONNECTION, character set, status.
    const greeting = [Buffer.from("\n8.0.0\0"), Buffer.alloc(4, 1), Buffer.alloc(8, 1), Buffer.from([0])];
    const more = [Buffer.from([0x00, 0x82, 8, 2, 0, 0, 0, 0]), Buffer.alloc(10), Buffer.alloc(12, 1), Buffer.from([0])];
    socket.write(packet(0, Buffer.concat([...greeting, ...more])));
    socket.once("data", () => {
      socket.write(packet(2, Buffer.from([0, 0, 0, 2, 0, 0, 0])));
      socket.once("data", () => {
        flood(socket, Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 1]), Buffer.alloc(0xff_ff_ff)]));
      });
    });
  });
  const before = beside();
  await assert.rejects(mariadb.identify(context({ socket: file, user: "root", lockSeconds: 5 } as never)), {
    code: "MYSQL_SESSION_LOST",
    message: /the server sent more than 64 MiB/,
  });
  assert.ok(beside() - before < 1024 ** 3, "no more than what came in the moment before it was noticed");
});
