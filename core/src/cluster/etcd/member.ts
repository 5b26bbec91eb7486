/** One member of etcd, over gRPC. The only importer of connect. */
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { KV, Lease, Maintenance, Watch } from "./messages.js";

/** In PEM format. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface EtcdMember {
  readonly url: string;
  readonly kv: Client<typeof KV>;
  readonly watch: Client<typeof Watch>;
  readonly lease: Client<typeof Lease>;
  readonly maintenance: Client<typeof Maintenance>;
  /** An open session keeps the process alive. */
  close(): void;
}

/** etcd ends the connection of a client that sends more than one ping in 5 s. */
const session = {
  pingIntervalMs: 10_000,
  pingTimeoutMs: 3000,
  pingIdleConnection: true,
  idleConnectionTimeoutMs: 86_400_000,
};

export function openMember(url: string, tls: TlsFiles | null): EtcdMember {
  const manager = new Http2SessionManager(url, session, tls === null ? {} : { ...tls });
  const transport = createGrpcTransport({ baseUrl: url, sessionManager: manager });
  return {
    url,
    kv: createClient(KV, transport),
    watch: createClient(Watch, transport),
    lease: createClient(Lease, transport),
    maintenance: createClient(Maintenance, transport),
    close: () => manager.abort(),
  };
}

/** Why a call failed. `denied`: to send it again is of no use. */
export function failureOf(error: unknown): { type: "denied" | "failed"; reason: string } {
  const { code, rawMessage } = ConnectError.from(error);
  const isDenied =
    code === Code.PermissionDenied ||
    code === Code.Unauthenticated ||
    (code === Code.InvalidArgument && rawMessage.includes("user name"));
  return { type: isDenied ? "denied" : "failed", reason: rawMessage };
}

/** gRPC's timeouts are integers: etcd refuses a fraction as an error of the protocol. */
export const wholeMs = (ms: number): number => Math.max(1, Math.ceil(ms));
