import { once } from "node:events";
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "../base/config/settings.js";
import { HoldstillError } from "../base/errors/error.js";
import type { Engine } from "../engine/engine.js";
import type { Health } from "../base/schema/types.js";
import { loadInAdvance } from "../engine/load-in-advance.js";
import { watchOwnFiles } from "./own-files.js";
import { type Accounts, readAccounts } from "../base/trust/accounts.js";
import { ownVersion } from "../installation.js";
import { whenIdle } from "./idle.js";
import { Leases } from "./operations/leases.js";
import { OperationStore } from "../store/operation-store.js";
import { lockForService } from "../store/service-lock.js";
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
  /** Exits after this time without work, ms; null: never. */
  idleMs: number | null;
  /** once: also serve the page, which listens on TCP, on 127.0.0.1. */
  page: "none" | "once";
  /** Aborted with an error E_INTERRUPTED that names the signal. */
  signal: AbortSignal;
  /** It listens; `page` is the address of the page, which works once. */
  onReady: (address: string, page: string | null) => void;
}

/** Time for connections to read the last responses at the end, ms. */
const lingerMs = 1000;

/** Serves until a signal, or until it is idle. By then everything that was begun has ended. */
export async function startService(engine: Engine, options: ServeOptions): Promise<void> {
  const { settings, log } = engine;
  const supervisor = supervisorIn(process.env);
  const { state, gate } = engine.store;
  const areReplaced = watchOwnFiles();
  await loadInAdvance();
  await engine.store.prepare();
  const unlock = lockForService(state, settings.service.socket);
  try {
    const accounts = await readAccounts();
    const rights = new Rights(settings.service, accounts);
    const store = new OperationStore(state, gate);
    await recoverAtStart(engine, store, log);
    const leases = new Leases(engine, log);
    const operations = new Operations({ engine, leases, store, areReplaced, limit: settings.service.operations });
    const usageWatch = engine.watchUsage();
    const agent = await engine.joinCluster();
    const since = new Date().toISOString();
    const health = (peer: Peer): Health => healthOf(settings, { since, peer, rights, operations, leases });
    let page: PageServer | null = null;
    const newPageAddress = (): string | null => page?.newAddress() ?? null;
    const context: RouteContext = { engine, operations, leases, health, newPageAddress };
    const { server, connections, calls } = await startHttpServer(routes, context, rights, log);

    const unlink =
      supervisor.socket === null
        ? await listenAt(server, settings.service.socket, groupOf(settings, accounts))
        : await inherit(server, supervisor.socket);
    const address = supervisor.socket === null ? settings.service.socket : "the socket of systemd";
    page = options.page === "once" ? await servePage(context, log) : null;
    log?.info(`listening at ${address}`, { pid: process.pid, version: ownVersion() });
    supervisor.ready(`listening at ${address}`);
    options.onReady(address, newPageAddress());

    const isBusy = (): boolean =>
      connections.count + operations.open + leases.size + calls.count + (page?.viewers ?? 0) > 0;
    // Other hosts have to find this one at any time.
    const idleMs = agent === null ? options.idleMs : null;
    const reason = await whenIdle(isBusy, areReplaced, { ...options, idleMs });
    log?.info(`ending: ${reason}`);
    supervisor.stopping();
    unlink();
    const closed = once(server, "close");
    server.close();
    await operations.close(reason);
    await agent?.close(new HoldstillError("E_INTERRUPTED", { signal: reason }));
    leases.endAttendance();
    await calls.done();
    await leases.close();
    await usageWatch.end();
    // Connections that have not read their last response by then are closed.
    server.closeIdleConnections();
    await Promise.race([closed, sleep(lingerMs)]);
    connections.closeAll();
    page?.close();
    await log?.close();
  } finally {
    unlock();
  }
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
