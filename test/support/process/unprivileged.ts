import { readFileSync } from "node:fs";

/** Numeric ids to start a process with. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who servers run as: oneself, or, for root, `postgres` if there is one and else `nobody`. PostgreSQL refuses to run as root
 * (manual, "The PostgreSQL User Account").
 */
export function unprivileged(): User {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  if (uid !== 0) return { uid, gid };
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [name, , user, group] = line.split(":");
    if (name === "postgres") return { uid: Number(user), gid: Number(group) };
  }
  return { uid: 65534, gid: 65534 };
}
