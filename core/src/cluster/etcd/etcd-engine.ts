import type { Change, ClusterEngine, Entry, KeyTransaction, KeyAnswer, KeyWatch } from "../engine.js";
import { rangeEnd, toCompare, toEntry, toRead, toWrite } from "./convert.js";
import { failureOf, type EtcdMember, openMember, type TlsFiles, wholeMs } from "./member.js";
import { Members } from "./members.js";
import { EtcdWatch } from "./watch.js";

export interface EtcdOptions {
  readonly endpoints: readonly string[];
  readonly tls: TlsFiles | null;
  /** The user of etcd, for errors. */
  readonly name: string;
}

/** What a member says of itself. */
export type MemberStatus = { url: string } & (
  | { version: string; leads: boolean; tookMs: number }
  | { problem: string }
);

/** etcd 3.4 or later. */
export class EtcdEngine implements ClusterEngine {
  readonly #members: Members;

  constructor({ endpoints, tls, name }: EtcdOptions) {
    this.#members = new Members(
      endpoints.map((url) => openMember(url, tls)),
      name,
    );
  }

  async transact({ when, write, otherwiseRead }: KeyTransaction, limitMs: number): Promise<KeyAnswer> {
    const request = {
      compare: when.map(toCompare),
      success: write.map(toWrite),
      failure: otherwiseRead.map(toRead),
    };
    const about = write[0]?.key ?? otherwiseRead[0] ?? "";
    const { succeeded, header, responses } = await this.#members.ask(about, limitMs, (member, timeoutMs) =>
      member.kv.txn(request, { timeoutMs }),
    );
    const found = responses.flatMap(({ response }) =>
      response.case === "responseRange" ? response.value.kvs.map(toEntry) : [],
    );
    return {
      type: succeeded ? "done" : "refused",
      revision: Number(header?.revision ?? 0n),
      clusterId: String(header?.clusterId ?? 0n),
      found,
    };
  }

  async read(prefix: string, limitMs: number): Promise<{ entries: Entry[]; revision: number }> {
    const request = { key: Buffer.from(prefix), rangeEnd: rangeEnd(prefix) };
    const { kvs, header } = await this.#members.ask(prefix, limitMs, (member, timeoutMs) =>
      member.kv.range(request, { timeoutMs }),
    );
    return { entries: kvs.map(toEntry), revision: Number(header?.revision ?? 0n) };
  }

  watch(prefix: string, from: number | null, onChange: (change: Change) => void): KeyWatch {
    return new EtcdWatch(this.#members, prefix, from, onChange);
  }

  /** Writes a key that goes away about `ttlS` seconds after the last of these calls, or later: for people, not for decisions. */
  async announce(key: string, value: string, ttlS: number, limitMs: number): Promise<void> {
    const { ID: lease } = await this.#members.ask(key, limitMs, (member, timeoutMs) =>
      member.lease.leaseGrant({ TTL: BigInt(ttlS) }, { timeoutMs }),
    );
    const put = { key: Buffer.from(key), value: Buffer.from(value), lease };
    await this.#members.ask(key, limitMs, (member, timeoutMs) =>
      member.kv.txn(
        { compare: [], success: [{ request: { case: "requestPut", value: put } }], failure: [] },
        { timeoutMs },
      ),
    );
  }

  /** Asks each member, also those that cannot be reached. */
  status(limitMs: number): Promise<MemberStatus[]> {
    return Promise.all(this.#members.all.map((member) => statusOf(member, limitMs)));
  }

  close(): void {
    this.#members.close();
  }
}

async function statusOf({ url, maintenance }: EtcdMember, limitMs: number): Promise<MemberStatus> {
  const from = performance.now();
  try {
    const { version, leader, header } = await maintenance.status({}, { timeoutMs: wholeMs(limitMs) });
    return { url, version, leads: leader === header?.memberId, tookMs: performance.now() - from };
  } catch (error) {
    return { url, problem: failureOf(error).reason };
  }
}
