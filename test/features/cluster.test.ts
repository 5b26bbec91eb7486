/** etcd with TLS and the rights that `cluster init` prints, and what a config and a command line can have wrong. No file system is held. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { ClusterConfig } from "#core/base/schema/types.js";
import { HoldstillError, toFault } from "#core/base/errors/error.js";
import { EtcdEngine } from "#core/cluster/etcd/etcd-engine.js";
import { certificateFor, makeAuthority, sign } from "../support/cluster/certificates.js";
import { EtcdServer, type EtcdTls, noEtcd } from "../support/cluster/etcd-server.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { tempDir } from "../support/storage/temp.js";

const prefix = "/holdstill/v1/";

/** A config with this cluster, and the command line that uses it. */
function commandLine(t: TestContext, cluster: ClusterConfig | null): (...args: string[]) => Promise<CliRun> {
  const dir = tempDir(t);
  mkdirSync(path.join(dir, "state"));
  const config = path.join(dir, "holdstill.json");
  const service = { socket: path.join(dir, "holdstill.sock") };
  writeFileSync(
    config,
    JSON.stringify({ stateDir: path.join(dir, "state"), service, ...(cluster === null ? {} : { cluster }) }),
  );
  return (...args) => holdstill([...args, "--config", config]);
}

function engineOf(t: TestContext, url: string, tls: EtcdTls | null, name: string): EtcdEngine {
  const files =
    tls === null
      ? null
      : {
          ca: readFileSync(tls.ca, "utf8"),
          cert: readFileSync(tls.certificate, "utf8"),
          key: readFileSync(tls.key, "utf8"),
        };
  const engine = new EtcdEngine({ endpoints: [url], tls: files, name });
  onEnd(t, () => engine.close());
  return engine;
}

const put = (engine: EtcdEngine, key: string): Promise<unknown> =>
  engine.transact({ when: [], write: [{ type: "put", key, value: "{}" }], otherwiseRead: [] }, 20_000);

const codeOf = (error: unknown): string => toFault(error).code;

test(
  "with what `cluster init` prints, a host can write below its own name alone, and only a requester can ask",
  { skip: noEtcd },
  async (t) => {
    const dir = tempDir(t);
    makeAuthority(dir);
    const root = certificateFor(dir, "root");
    const etcd = await EtcdServer.start(t, root);
    const init = await commandLine(t, null)("cluster", "init", "app1", "app2", "--requester", "backup");
    assert.equal(init.exitCode, 0, init.stderr);
    const env = {
      ...process.env,
      ETCDCTL_API: "3",
      ETCDCTL_ENDPOINTS: etcd.url,
      ETCDCTL_CACERT: root.ca,
      ETCDCTL_CERT: root.certificate,
      ETCDCTL_KEY: root.key,
    };
    execFileSync("sh", ["-e"], { cwd: dir, env, input: init.stdout, stdio: ["pipe", "pipe", "pipe"] });
    for (const args of [
      ["user", "add", "root", "--no-password"],
      ["user", "grant-role", "root", "root"],
      ["auth", "enable"],
    ])
      etcd.control(...args);

    const app1 = engineOf(t, etcd.url, sign(dir, "app1"), "app1");
    const backup = engineOf(t, etcd.url, sign(dir, "backup"), "backup");
    await put(app1, `${prefix}host/app1/set`);
    await put(backup, `${prefix}plan/set`);
    for (const key of ["host/app2/set", "plan/other", "verdict/set", "requester/set"])
      await assert.rejects(put(app1, prefix + key), (error) => codeOf(error) === "E_CLUSTER_DENIED", key);
    await assert.rejects(put(backup, `${prefix}host/app1/set`), (error) => codeOf(error) === "E_CLUSTER_DENIED");
    assert.equal((await app1.read(prefix, 20_000)).entries.length, 2, "hosts can read what others write");

    const foreign = tempDir(t);
    makeAuthority(foreign);
    const stranger = engineOf(t, etcd.url, { ...certificateFor(foreign, "app1"), ca: root.ca }, "app1");
    await assert.rejects(put(stranger, `${prefix}host/app1/set`), HoldstillError, "a certificate of another authority");

    // The name of a host is that in its certificate.
    const tls = { ca: root.ca, certificate: path.join(dir, "app2.pem"), key: path.join(dir, "app2.key") };
    sign(dir, "app2");
    const hosts = await commandLine(t, { endpoints: [etcd.url], tls })("cluster", "hosts", "--json");
    assert.equal((hosts.json() as { self: string }).self, "app2");
  },
);

test(
  "a call that is not answered is sent again until its limit, and then etcd is called unreachable",
  { skip: noEtcd },
  async (t) => {
    const etcd = await EtcdServer.start(t);
    const engine = engineOf(t, etcd.url, null, "app1");
    await put(engine, `${prefix}host/app1/one`);
    etcd.stop();
    await assert.rejects(engine.read(prefix, 700), (error) => codeOf(error) === "E_CLUSTER_UNREACHABLE");
    const patient = put(engine, `${prefix}host/app1/two`);
    etcd.continue();
    await patient;
    assert.deepEqual(etcd.keys(), [`${prefix}host/app1/one`, `${prefix}host/app1/two`]);
  },
);

test("a watch goes on without a gap when etcd was killed and is there again", { skip: noEtcd }, async (t) => {
  const etcd = await EtcdServer.start(t);
  const engine = engineOf(t, etcd.url, null, "app1");
  const seen: string[] = [];
  const all = new AbortController();
  const watch = engine.watch(prefix, null, ({ key }) => {
    seen.push(key);
    if (seen.length === 3) all.abort();
  });
  onEnd(t, () => watch.close());
  await watch.ready;
  await put(engine, `${prefix}plan/1`);
  await etcd.kill();
  await etcd.start();
  await put(engine, `${prefix}plan/2`);
  await put(engine, `${prefix}plan/3`);
  if (!all.signal.aborted) await once(all.signal, "abort");
  assert.deepEqual(
    seen,
    ["1", "2", "3"].map((name) => `${prefix}plan/${name}`),
  );
});

test("a set over hosts is refused before it begins: without a cluster, without the hosts, and with operands that name no host", async (t) => {
  const alone = await commandLine(t, null)("create", "--cluster", "app1=/srv", "--json");
  assert.equal((alone.json() as { error: { code: string } }).error.code, "E_CLUSTER_REFUSED");
  assert.equal(alone.exitCode, 2);
  const cluster = { endpoints: ["http://127.0.0.1:1"], name: "app1", groups: { shop: { app1: ["/srv"] } } };
  const run = commandLine(t, cluster);
  const operand = await run("create", "--cluster", "/srv", "--json");
  assert.equal((operand.json() as { error: { code: string } }).error.code, "E_USAGE");
  assert.match(operand.stderr + operand.stdout, /Groups of the config: shop/);
  const unreachable = await run("create", "--cluster", "shop", "--json");
  assert.equal((unreachable.json() as { error: { code: string } }).error.code, "E_CLUSTER_UNREACHABLE");
  assert.equal(unreachable.exitCode, 4);
});
