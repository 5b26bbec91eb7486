import type { Right, ServiceSettings } from "../../base/config/settings.js";
import { HoldstillError } from "../../base/errors/error.js";
import type { RequesterMark, SnapshotSet } from "../../base/schema/types.js";
import type { Accounts } from "../../base/trust/accounts.js";
import type { Peer } from "./peer.js";

const all: readonly Right[] = ["read", "create", "delete", "restore"];

/** The rights of users. Root and the user that runs the service have all; others have those that the config grants. */
export class Rights {
  readonly #may: ReadonlyMap<Right, (peer: Peer) => boolean>;

  /** @throws HoldstillError E_USAGE for a name that the account files do not have. */
  constructor({ rights }: ServiceSettings, accounts: Accounts) {
    this.#may = new Map(
      all.map((right) => {
        const named = rights[right].map((principal) => matcher(principal, accounts));
        return [right, (peer: Peer) => named.some((matches) => matches(peer))];
      }),
    );
  }

  of(peer: Peer): Right[] {
    if (hasAllRights(peer.mark)) return [...all];
    const granted = all.filter((right) => this.#may.get(right)?.(peer) === true);
    return granted.length > 0 && !granted.includes("read") ? ["read", ...granted] : granted;
  }

  /** @throws HoldstillError E_FORBIDDEN */
  demand(peer: Peer, right: Right, what: string): void {
    if (!this.of(peer).includes(right)) throw new HoldstillError("E_FORBIDDEN", { uid: peer.mark.uid, what, right });
  }
}

/** Whether the set, or the operation, is of this user. Root, and the user that runs the service, own all. */
export const isOwn = ({ mark }: Peer, requester: SnapshotSet["requester"]): boolean =>
  hasAllRights(mark) || requester?.uid === mark.uid;

/** A user may use only the sets that the same user took. @throws HoldstillError E_FORBIDDEN */
export function demandOwn(peer: Peer, requester: SnapshotSet["requester"], what: string): void {
  const { mark } = peer;
  if (isOwn(peer, requester)) return;
  const owner = requester === undefined ? "which was taken without the service" : `which user ${requester.uid} took`;
  throw new HoldstillError("E_FORBIDDEN", { uid: mark.uid, what: `${what}, ${owner}`, right: "ownership of the set" });
}

const hasAllRights = ({ uid }: RequesterMark): boolean => uid === 0 || uid === process.getuid?.();

function matcher(principal: string, accounts: Accounts): (peer: Peer) => boolean {
  const [kind, name = ""] = principal.split(":");
  if (kind === "user") {
    const uid = idOf(name, "user", (one) => accounts.users.find((user) => user.name === one)?.uid);
    return ({ mark }) => mark.uid === uid;
  }
  const gid = groupId(name, accounts);
  return ({ groups }) => groups.has(gid);
}

export const groupId = (name: string, { groups }: Accounts): number =>
  idOf(name, "group", (one) => groups.find((group) => group.name === one)?.gid);

function idOf(name: string, kind: "user" | "group", find: (name: string) => number | undefined): number {
  const id = find(name) ?? (/^[0-9]+$/.test(name) ? Number(name) : undefined);
  if (id !== undefined) return id;
  const problem = `The config grants service.rights to the ${kind} \`${name}\`, which /etc/${kind === "user" ? "passwd" : "group"} does not list.`;
  throw new HoldstillError("E_USAGE", { problem, hint: `Create the ${kind}, or write its number.` });
}
