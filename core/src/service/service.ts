import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { once } from "node:events";
import type { Server } from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeStateDir, type StateDir, stateDir } from "../store/state-directory.js";
import type { Settings } from "../base/config/settings.js";
import { HoldstillError } from "../base/errors/error.js";
import type { Engine } from "../engine/engine.js";
import type { Health } from "../base/schema/types.js";
import { flockExclusive } from "../os/libc.js";
import { type Accounts, readAccounts } from "../base/trust/accounts.js";
import { ownVersion } from "../installation.js";
import { whenIdle } from "./idle.js";
import { Leases } from "./operations/leases.js";
import { OperationStore } from "./operations/operation-store.js";
import { Operations } from "./operations/operations.js";
import { type PageServer, servePage } from "./page/page-server.js";
import type { Peer } from "./http/peer.js";
import { recoverAtStart } from "./operations/recovery.js";
import { groupId, Rights } from "./http/rights.js";
import type { RouteContext } from "./http/route.js";
import { routes } from "./http/routes/routes.js";
import { startHttpServer } from "./http/server.js";
import { listenAt } from "./http/socket-file.js";
import { supervisorIn } from "./supervisor.js";

export interface ServeOptions {
  /** Ends when it had nothing to do for so long, ms; null: never. */
  idleMs: number | null;
  /** Whether there is a page to watch, too: the one thing that listens on TCP, on this machine's own address. */
  page: "none" | "once";
  /** Aborted with an error E_INTERRUPTED that names the signal. */
  signal: AbortSignal;
  /** It listens; `page` is the address of the page, which works once. */
  onReady: (where: string, page: string | null) => void;
}

/** How long connections may still take what was written to them when all is over, ms. */
const parting = 1000;

/** Serves until it is told to end, or has nothing to do; everything that was begun has then come to its end. */
export async function startService(requester: Engine, options: ServeOptions): Promise<void> {
  const { settings, log } = requester;
  const supervisor = supervisorIn(process.env);
  const state = stateDir(settings.stateDir);
  makeStateDir(state);
  const unlock = lockState(state, settings.service.socket);
  try {
    const accounts = await readAccounts();
    const rights = new Rights(settings.service, accounts);
    const store = new OperationStore(state);
    await recoverAtStart(requester, store, log);
    const leases = new Leases(requester, state, log);
    const operations = new Operations({ requester, leases, store, limit: settings.service.operations });
    const fill = await requester.watchUsage();
    const since = new Date().toISOString();
    const health = (peer: Peer): Health => healthOf(settings, { since, peer, rights, operations, leases });
    let page: PageServer | null = null;
    const invite = (): string | null => page?.invite() ?? null;
    const desk: RouteContext = { state, requester, operations, leases, health, invite };
    const { server, guests, calls } = await startHttpServer(routes, desk, rights, log);

    const unlink =
      supervisor.socket === null
        ? await listenAt(server, settings.service.socket, groupOf(settings, accounts))
        : await inherit(server, supervisor.socket);
    const where = supervisor.socket === null ? settings.service.socket : "the socket of systemd";
    page = options.page === "once" ? await servePage(desk, log) : null;
    log?.info(`listening at ${where}`, { pid: process.pid, version: ownVersion() });
    supervisor.ready(`listening at ${where}`);
    options.onReady(where, invite());

    const isBusy = (): boolean => guests.count + operations.open + leases.size + calls.count + (page?.viewers ?? 0) > 0;
    const reason = await whenIdle(isBusy, options);
    log?.info(`ending: ${reason}`);
    supervisor.stopping();
    unlink();
    const closed = once(server, "close");
    server.close();
    await operations.close(reason);
    leases.dismiss();
    await calls.done();
    await leases.close();
    await fill.end();
    // Who has not read his last words by then has had his chance.
    server.closeIdleConnections();
    await Promise.race([closed, sleep(parting)]);
    guests.closeAll();
    page?.close();
    await log?.close();
  } finally {
    unlock();
  }
}

/** One service for a state directory: what another one works on would look like left behind. @throws HoldstillError E_SERVICE_RUNNING */
function lockState({ root }: StateDir, socket: string): () => void {
  const file = path.join(root, "service.lock");
  const fd = openSync(file, "a+", 0o600);
  if (!flockExclusive(fd)) {
    const [pid = "0", where = socket] = readFileSync(file, "utf8").trim().split(" ");
    closeSync(fd);
    throw new HoldstillError("E_SERVICE_RUNNING", { socket: where, pid: Number(pid) });
  }
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid} ${socket}\n`);
  return () => closeSync(fd);
}

async function inherit(server: Server, fd: number): Promise<() => void> {
  server.listen({ fd });
  await once(server, "listening");
  return () => undefined;
}

function groupOf({ service: { group } }: Settings, accounts: Accounts): number | null {
  if (group !== null) return groupId(group, accounts);
  return accounts.groups.find(({ name }) => name === "holdstill")?.gid ?? null;
}

function healthOf(
  { file, stateDir: dir, limits, service }: Settings,
  {
    since,
    peer,
    rights,
    operations,
    leases,
  }: { since: string; peer: Peer; rights: Rights; operations: Operations; leases: Leases },
): Health {
  return {
    status: "ok",
    api: "v1",
    version: ownVersion(),
    pid: process.pid,
    since,
    config: file,
    stateDir: dir,
    limitsMs: limits,
    operations: { open: operations.open, limit: service.operations },
    leases: leases.size,
    you: { requester: peer.mark, rights: rights.of(peer) },
  };
}
