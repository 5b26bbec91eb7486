/** `holdstill serve --page` in a real browser, with real transactions; and who may not see it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { PageAddress, Problem } from "#core/base/schema/types.js";
import { Chromium, noChromium } from "../../support/process/chromium.js";
import { onEnd } from "../../support/process/on-end.js";
import { Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

const skip = noChromium();
/** A folder for snapshots of the page, for who wants to look at them. */
const { HOLDSTILL_PICTURES: pictures } = process.env;

function addressOf({ stderr }: Service): string {
  const [, address] = /the page is at (\S+)/.exec(stderr) ?? [];
  assert.ok(address !== undefined, stderr);
  return address;
}

async function pictured(browser: Chromium, name: string): Promise<void> {
  if (pictures === undefined) return;
  for (const scheme of ["light", "dark"] as const) {
    await browser.prefer(scheme);
    await browser.picture(path.join(pictures, `${name}-${scheme}.png`));
  }
  await browser.prefer("light");
}

const textOf = (id: string): string => `document.getElementById("${id}").innerText`;

test(
  "a transaction is watched from its beginning to its end: who does what, how long of which limit, and who was the culprit",
  { skip },
  async (t) => {
    const stage = new Scene(t);
    const limits = { prepare: "60s", freeze: "12s" };
    const service = await Service.start(t, stage, {
      args: ["--page"],
      limits,
      writer: { in: "freeze", does: "hangs" },
    });
    const browser = await Chromium.start(t);
    await browser.open(addressOf(service));
    await browser.until(`${textOf("connection")}.includes("connected")`);
    await browser.until(`${textOf("writers")}.includes("writer-that 1.0.0, required")`);
    assert.match(await browser.evaluate(textOf("idle")), /No operation is running/);

    // Whatever a requester writes is text, and steers nothing.
    const name = `<img src=x onerror="document.title='owned'">\u202Egnp`;
    const { id } = await service.create({ targets: ["writer:app"], name });
    await browser.until(`document.querySelector("#live .frozen").textContent.startsWith("The first freeze began")`);
    await browser.until(
      `Array.from(document.querySelectorAll("#live tr"), (row) => row.innerText).some((row) => /app\\s+freeze\\s+[1-9]\\S* s of \\d/.test(row))`,
    );
    const width = (): Promise<number> =>
      browser.evaluate(`parseFloat(document.querySelector("#live tr i").style.width)`);
    const before = await width();
    await browser.until(`parseFloat(document.querySelector("#live tr i").style.width) > ${before}`);
    assert.match(await browser.evaluate(textOf("phase")), /freeze: applications hold still; limit 12 s/);
    assert.match(
      await browser.evaluate(`document.querySelector("#live h3").innerText`),
      /<img src=x onerror=.*\\u202egnp/,
    );
    await pictured(browser, "running");

    await browser.until(`document.querySelector("#live article.failed")`);
    assert.match(await browser.evaluate(textOf("phase")), /✗ aborted/);
    assert.match(await browser.evaluate(textOf("live")), /writer `app` .* did not finish freeze/);
    await browser.until(`${textOf("history")}.includes("did not finish freeze")`);
    assert.equal((await service.ended(id)).state.result.outcome, "aborted");
    assert.match(await browser.evaluate(textOf("writers")), /✗ failed/);
    await browser.evaluate(`document.querySelector("#history summary").click()`);
    await browser.until(`Array.from(document.querySelectorAll("#history tr.failed")).length > 0`);
    await pictured(browser, "aborted");
    assert.equal(await browser.evaluate("document.querySelectorAll('#live img, #history img').length"), 0);
    assert.equal(await browser.evaluate("document.title"), "holdstill");
    assert.deepEqual(browser.complaints, [], "nothing breached the policy, and nothing failed");
  },
);

test(
  "a set that was taken is there without a reload; the page is used by the keyboard, read by roles and names, and has contrast",
  { skip },
  async (t) => {
    const stage = new Scene(t);
    const service = await Service.start(t, stage, { args: ["--page"] });
    const browser = await Chromium.start(t);
    await browser.open(addressOf(service));
    await browser.until(`${textOf("sets")}.includes("There are no sets")`);
    const one = await service.create({ targets: ["writer:app"], name: "nightly" });
    assert.equal((await service.ended(one.id)).state.result.outcome, "created");
    await browser.until(`${textOf("sets")}.includes("nightly") && ${textOf("history")}.includes("created")`);
    assert.match(await browser.evaluate(textOf("sets")), /application/);
    assert.match(await browser.evaluate(textOf("history")), /nightly of writer:app/);

    await browser.until(`document.querySelector("#writers table") && !document.getElementById("ask").disabled`);
    for (const wanted of ["skip", "ask", "scrolled", "scrolled", "SUMMARY"]) {
      await browser.press("Tab");
      const focus = await browser.evaluate<string>(
        `[document.activeElement.className, document.activeElement.id, document.activeElement.tagName].join(" ")`,
      );
      assert.ok(focus.split(" ").includes(wanted), `${focus}, not ${wanted}`);
    }
    await browser.press("Enter");
    await browser.until(`document.querySelector("#history details").open && document.querySelector("#history table")`);
    await pictured(browser, "history");

    const tree = await browser.accessible();
    const has = (role: string, name: RegExp): void =>
      assert.ok(
        tree.some((node) => node.role === role && name.test(node.name)),
        `no ${role} ${name}`,
      );
    for (const name of ["holdstill", "Now", "Writers", "Sets", "History"]) has("heading", new RegExp(`^${name}$`));
    has("button", /^Refresh$/);
    has("columnheader", /^Consistency$/);
    has("table", /^Calls, .* in all$/);
    assert.equal(tree.filter(({ role }) => role === "status").length, 2, "what is said aloud when it changes");
    await demandContrast(browser);
    assert.deepEqual(browser.complaints, []);

    assert.equal(await service.stop(), 0);
    await browser.until(`document.getElementById("connection").className === "lost"`);
  },
);

/** Every colour that text has, on every ground that it stands on. */
async function demandContrast(browser: Chromium): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await browser.prefer(scheme);
    const colours = await browser.evaluate<Record<string, string>>(`(() => {
      const style = getComputedStyle(document.documentElement);
      const names = ["paper", "panel", "ink", "faint", "frozen", "good", "warn", "bad"];
      return Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name)]));
    })()`);
    for (const ground of ["paper", "panel"])
      for (const name of ["ink", "faint", "frozen", "good", "warn", "bad"]) {
        const ratio = contrast(colours[name] ?? "", colours[ground] ?? "");
        assert.ok(ratio >= 4.5, `${name} on ${ground}, ${scheme}: ${ratio.toFixed(2)}`);
      }
  }
}

/** WCAG 2.2, relative luminance and contrast ratio. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [one, other].map((colour) => luminance(colour)).toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = parts.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

interface Got {
  status: number;
  headers: IncomingMessage["headers"];
  text: string;
}

async function get(url: string, headers: Record<string, string> = {}, method = "GET"): Promise<Got> {
  const outgoing = request(url, { method, headers, agent: false });
  outgoing.end();
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of incoming.setEncoding("utf8")) text += chunk as string;
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, text };
}

test("the token is good once; without the cookie there is nothing; no name but this machine's, no other site, nothing but GET", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage, { args: ["--page"] });
  const address = addressOf(service);
  const { origin, host } = new URL(address);
  const wrong = address.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
  assert.equal((await get(wrong)).status, 403);
  assert.equal((await get(address, { host: `evil.test:${new URL(address).port}` })).status, 400, "DNS rebinding");
  assert.equal((await get(address, { "sec-fetch-site": "cross-site" })).status, 403);
  assert.equal((await get(address, { "sec-purpose": "prefetch" })).status, 403);
  assert.equal((await get(address, {}, "POST")).status, 405);

  const entered = await get(address);
  assert.equal(entered.status, 303, "what was refused did not use it up");
  const { location = "" } = entered.headers;
  const set = entered.headers["set-cookie"]?.[0] ?? "";
  assert.match(set, /^holdstill=[0-9a-f]{64}; Path=\/[0-9a-f]{32}\/; HttpOnly; SameSite=Strict$/);
  assert.equal((await get(address)).status, 403, "it is used");

  const cookie = set.split(";")[0] ?? "";
  const base = new URL(location, origin);
  const page = await get(base.href, { cookie });
  assert.equal(page.status, 200);
  assert.match(
    String(page.headers["content-security-policy"]),
    /default-src 'none'.*require-trusted-types-for 'script'/,
  );
  assert.equal(page.headers["access-control-allow-origin"], undefined);
  assert.doesNotMatch(page.text, /\son\w+=|style=|<script>|https?:/, "nothing inline, nothing from elsewhere");
  for (const name of [
    "../../../sets",
    "../../../history",
    "../../../writers",
    "../../../about",
    "main.js",
    "page.css",
  ]) {
    const url = new URL(name, base).href;
    assert.equal((await get(url, { cookie })).status, 200, name);
    assert.equal((await get(url)).status, 403, `${name} without the cookie`);
    assert.equal((await get(url, { cookie, host: "evil.test" })).status, 400, name);
    for (const site of ["cross-site", "same-site"])
      assert.equal((await get(url, { cookie, "sec-fetch-site": site })).status, 403, `${name} ${site}`);
    for (const method of ["POST", "DELETE", "OPTIONS"]) assert.equal((await get(url, { cookie }, method)).status, 405);
  }
  assert.equal((await get(`${origin}/sets`, { cookie })).status, 403, "the path is part of the secret");
  assert.equal((await get(new URL("../../../v1/sets", base).href, { cookie })).status, 404, "the API is not here");
  assert.equal((await get(new URL("../page/..%2f..%2fpackage.json", base).href, { cookie })).status, 404);
  assert.equal((await get(base.href, { cookie, host: host.replace("127.0.0.1", "localhost") })).status, 200);
});

test(
  "another site that a browser has open reads nothing, not even from another port of this machine",
  { skip },
  async (t) => {
    const stage = new Scene(t);
    const service = await Service.start(t, stage, { args: ["--page"] });
    const address = addressOf(service);
    const elsewhere = await serverOf(t);
    const browser = await Chromium.start(t, ["evil.test"]);
    await browser.open(address.replace("127.0.0.1", "evil.test"));
    assert.match(await browser.evaluate("document.body.innerText"), /127\.0\.0\.1 or localhost only/);
    await browser.open(address);
    await browser.until(`${textOf("connection")}.includes("connected")`);
    const page = await browser.evaluate<string>("location.href");
    const sets = new URL("../sets", page).href;
    for (const host of ["127.0.0.1", "evil.test"]) {
      await browser.open(`http://${host}:${elsewhere.port}/`);
      const tried = `fetch("${sets}", { credentials: "include" }).then((it) => it.text(), () => "nothing")`;
      assert.equal(await browser.evaluate(tried), "nothing", host);
      const blind = `fetch("${sets}", { credentials: "include", mode: "no-cors" }).then((it) => it.type, () => "nothing")`;
      assert.equal(await browser.evaluate(blind), "nothing", host);
    }
    assert.ok(
      elsewhere.cookies.every((cookie) => !cookie.includes("holdstill")),
      "the cookie went to another port",
    );
  },
);

test("whoever may read is given another address, which works once; one that nobody opened works no more", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage, { args: ["--page"] });
  const first = addressOf(service);
  const another = async (): Promise<string> => {
    const reply = await service.ask("POST", "/v1/page");
    assert.equal(reply.status, 200, reply.text);
    return reply.json<PageAddress>().address;
  };
  const second = await another();
  assert.equal((await get(first)).status, 403);
  assert.equal((await get(second)).status, 303);
  assert.equal((await get(second)).status, 403);
  assert.equal((await get(await another())).status, 303, "a second browser sees it, too");
  await service.stop();

  const bare = await Service.start(t, stage, { config: service.config });
  assert.equal((await bare.ask("POST", "/v1/page")).json<Problem>().code, "E_USAGE");
});

/** Some other server of this machine, which writes down the cookies that it gets. */
async function serverOf(t: TestContext): Promise<{ port: number; cookies: string[] }> {
  const cookies: string[] = [];
  const server = createServer(({ headers }, response) => {
    cookies.push(headers.cookie ?? "");
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>elsewhere</title>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onEnd(t, () => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, cookies };
}
