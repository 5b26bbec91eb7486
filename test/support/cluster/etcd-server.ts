import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onEnd } from "../process/on-end.js";
import { tempDir } from "../storage/temp.js";

export const noEtcd =
  spawnSync("etcd", ["--version"]).error === undefined ? false : "etcd is not installed: npm run test:setup";

/** Files in PEM format. */
export interface EtcdTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** One member of etcd on loopback, which ends with the test. */
export class EtcdServer {
  readonly url: string;
  readonly #args: readonly string[];
  readonly #tls: EtcdTls | null;
  #child: ChildProcess | null = null;

  private constructor(dir: string, [client, peer]: readonly [number, number], tls: EtcdTls | null) {
    const scheme = tls === null ? "http" : "https";
    this.url = `${scheme}://127.0.0.1:${client}`;
    const peers = `http://127.0.0.1:${peer}`;
    const secured =
      tls === null
        ? []
        : [
            "--client-cert-auth",
            `--trusted-ca-file=${tls.ca}`,
            `--cert-file=${tls.certificate}`,
            `--key-file=${tls.key}`,
          ];
    this.#tls = tls;
    this.#args = [
      `--data-dir=${path.join(dir, "etcd")}`,
      "--log-level=error",
      `--listen-client-urls=${this.url}`,
      `--advertise-client-urls=${this.url}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=default=${peers}`,
      ...secured,
    ];
  }

  static async start(t: TestContext, tls: EtcdTls | null = null): Promise<EtcdServer> {
    const it = new EtcdServer(tempDir(t), [await freePort(), await freePort()], tls);
    onEnd(t, () => it.kill());
    await it.start();
    return it;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    this.#child = spawn("etcd", this.#args, { stdio: "ignore" });
    for (let tries = 0; tries < 300; tries += 1) {
      if (spawnSync("etcdctl", [...this.#access(), "endpoint", "health"], { env: this.#env() }).status === 0) return;
      await sleep(100);
    }
    throw new Error("etcd did not start");
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGCONT");
    child.kill("SIGKILL");
    await ended;
  }

  stop(): void {
    this.#child?.kill("SIGSTOP");
  }

  continue(): void {
    this.#child?.kill("SIGCONT");
  }

  /** All keys below the prefix. @param as Whose certificate is used. */
  keys(prefix = "/holdstill/v1/"): string[] {
    const text = execFileSync("etcdctl", [...this.#access(), "get", "--prefix", "--keys-only", prefix], {
      env: this.#env(),
      encoding: "utf8",
    });
    return text.split("\n").filter((line) => line !== "");
  }

  /** With the rights of root of etcd, or before there are any. */
  control(...args: readonly string[]): string {
    return execFileSync("etcdctl", [...this.#access(), ...args], { env: this.#env(), encoding: "utf8" });
  }

  #access(): string[] {
    const tls = this.#tls;
    const files = tls === null ? [] : [`--cacert=${tls.ca}`, `--cert=${tls.certificate}`, `--key=${tls.key}`];
    return [`--endpoints=${this.url}`, ...files];
  }

  #env(): NodeJS.ProcessEnv {
    return { ...process.env, ETCDCTL_API: "3" };
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
