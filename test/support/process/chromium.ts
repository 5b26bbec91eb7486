import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onEnd } from "./on-end.js";
import { tempDir } from "../storage/temp.js";

const program = "/usr/bin/chromium";

/** For the `skip` of a test: why it cannot run here, or false. In CI nothing may be missing: there the test runs, and fails. */
export const noChromium = (): string | false =>
  existsSync(program) || process.env["CI"] === "true" ? false : `no ${program}; run npm run test:setup`;

interface Reply {
  id?: number;
  method?: string;
  params?: { exceptionDetails?: unknown; message?: { text?: string }; entry?: { text: string; level: string } };
  result?: Record<string, unknown>;
  error?: { message: string };
}

/** Debian's browser without a window, with one page, told what to do over two pipes by the DevTools protocol. */
export class Chromium {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #last = 0;
  #session = "";
  /** What the page said to the console, and what the browser said of it: breaches of the policy are among it. */
  readonly complaints: string[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = once(child, "close");
    let text = "";
    (child.stdio[4] as Readable).setEncoding("utf8").on("data", (chunk: string) => {
      const parts = (text + chunk).split("\0");
      text = parts.pop() ?? "";
      for (const part of parts) this.#take(JSON.parse(part) as Reply);
    });
  }

  /** @param names Host names that are to lead to this machine, as their owner may have it. No other name leads anywhere. */
  static async start(t: TestContext, names: readonly string[] = []): Promise<Chromium> {
    const rules = [
      ...names.map((name) => `MAP ${name} 127.0.0.1`),
      "MAP * ~NOTFOUND",
      "EXCLUDE 127.0.0.1",
      "EXCLUDE localhost",
    ];
    const flags = [
      "--headless=new",
      "--window-size=1100,900",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-dev-shm-usage",
    ];
    const quiet = [
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-proxy-server",
    ];
    const home = tempDir(t);
    const own = [
      `--user-data-dir=${home}/profile`,
      `--host-resolver-rules=${rules.join(", ")}`,
      "--remote-debugging-pipe",
    ];
    const child = spawn(program, [...flags, ...quiet, ...own, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      // A group of its own: the browser is several processes.
      detached: true,
      env: { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: home },
    });
    const it = new Chromium(child);
    onEnd(t, async () => {
      process.kill(-(child.pid ?? 0), "SIGKILL");
      await it.#gone;
    });
    const { targetId } = await it.#ask("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await it.#ask("Target.attachToTarget", { targetId, flatten: true });
    it.#session = String(sessionId);
    for (const domain of ["Page", "Runtime", "Log"]) await it.#ask(`${domain}.enable`);
    return it;
  }

  /** Goes there, as somebody who writes the address into the browser's line. */
  async open(url: string): Promise<void> {
    await this.#ask("Page.navigate", { url });
    await this.until(`document.readyState === "complete" && location.href !== "about:blank"`);
  }

  /** What an expression in the page comes to, awaited. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what the test expects is its own affair
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.#ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    const { result, exceptionDetails } = answer as { result: { value: T }; exceptionDetails?: unknown };
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  /** Waits until an expression in the page is true. Throws with what the page says if that is not within a minute. */
  async until(expression: string): Promise<void> {
    const end = performance.now() + 60_000;
    while (performance.now() < end) {
      if (await this.evaluate<boolean>(`!!(${expression})`).catch(() => false)) return;
      await sleep(50);
    }
    throw new Error(`never: ${expression}\n${await this.evaluate<string>("document.body.innerText")}`);
  }

  async press(key: "Tab" | "Enter"): Promise<void> {
    const code = { Tab: 9, Enter: 13 }[key];
    const text = key === "Enter" ? { text: "\r" } : {};
    const of = { key, code: key, windowsVirtualKeyCode: code, ...text };
    await this.#ask("Input.dispatchKeyEvent", { type: "keyDown", ...of });
    await this.#ask("Input.dispatchKeyEvent", { type: "keyUp", ...of });
  }

  async prefer(value: "light" | "dark"): Promise<void> {
    await this.#ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
  }

  /** The roles and names that the page has for who cannot see it. */
  async accessible(): Promise<{ role: string; name: string }[]> {
    const { nodes } = (await this.#ask("Accessibility.getFullAXTree")) as {
      nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
    };
    return nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => ({ role: role?.value ?? "", name: name?.value ?? "" }));
  }

  /** The whole page as PNG. */
  async picture(file: string): Promise<void> {
    const { data } = await this.#ask("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    writeFileSync(file, Buffer.from(String(data), "base64"));
  }

  async #ask(method: string, params: object = {}): Promise<Record<string, unknown>> {
    this.#last += 1;
    const id = this.#last;
    const session = this.#session === "" ? {} : { sessionId: this.#session };
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#waiting.set(id, resolve);
      this.#gone.then(() => reject(new Error(`chromium ended during ${method}`)), reject);
      (this.#child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
    return reply.result ?? {};
  }

  #take(reply: Reply): void {
    if (reply.id !== undefined) {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    } else if (reply.method === "Log.entryAdded") this.complaints.push(reply.params?.entry?.text ?? "");
    else if (reply.method === "Runtime.exceptionThrown")
      this.complaints.push(JSON.stringify(reply.params?.exceptionDetails));
  }
}
