/** The page, and who may not see it but connects: any process of the machine. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import test from "node:test";
import { onEnd } from "../../support/process/on-end.js";
import { Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

async function get(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const outgoing = request(url, { headers }).end();
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  return incoming.resume();
}

test("a target that is no path is refused as any other, and idle connections do not keep a browser away", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage, { args: ["--page"] });
  const address = /the page is at (\S+)/.exec(service.stderr)?.[1] ?? "";
  const { port } = new URL(address);
  for (const target of [
    "//",
    "///",
    "/\\",
    "//evil.test/x",
    "/?",
    "/%",
    "/%00",
    "http://",
    "http://evil.test/",
    "*",
    "/[",
    "/?token",
    "/?token=%",
  ]) {
    const outgoing = request({ port, host: "127.0.0.1", path: target, headers: { host: `127.0.0.1:${port}` } }).end();
    const [{ statusCode }] = (await once(outgoing, "response")) as [IncomingMessage];
    assert.equal(statusCode, 403, target);
  }
  const idle = Array.from({ length: 100 }, () => connect(Number(port), "127.0.0.1"));
  onEnd(t, () => idle.forEach((socket) => socket.destroy()));
  await Promise.all(
    idle.map((socket) =>
      once(
        socket.on("error", () => undefined),
        "connect",
      ),
    ),
  );
  const entered = await get(address);
  assert.equal(entered.statusCode, 303);
  const cookie = entered.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  assert.equal((await get(new URL(entered.headers.location ?? "", address).href, { cookie })).statusCode, 200);
});
