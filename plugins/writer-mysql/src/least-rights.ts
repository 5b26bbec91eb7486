import type { ProcessUser } from "./server-process.js";

/**
 * The command line that runs a program with the rights of that user: what is started by way of a server gets no more than the server
 * has. No capabilities, and none to be had from a program with set-user-ID.
 */
export function asUser({ uid, gid, groups }: ProcessUser, program: readonly string[]): [string, string[]] {
  const others = groups.length === 0 ? ["--clear-groups"] : ["--groups", groups.join(",")];
  const ids = ["--reuid", String(uid), "--regid", String(gid), ...others];
  const none = ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"];
  return ["setpriv", [...ids, ...none, "--pdeathsig", "KILL", "--", ...program]];
}
