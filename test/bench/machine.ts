import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

/** Programs that are measured, or measured against, and how each says its version. */
const programs: Record<string, [string, ...string[]]> = {
  "util-linux": ["fsfreeze", "--version"],
  LVM: ["lvm", "version"],
  "PostgreSQL's client": ["psql", "--version"],
  MariaDB: ["mariadbd", "--version"],
  Python: ["python3", "--version"],
};

/** What the figures depend on. */
export function machine(): Record<string, string> {
  const versions = Object.entries(programs).flatMap(([name, [command, ...args]]) => {
    const { stdout } = spawnSync(command, args, { encoding: "utf8", env: { PATH: process.env["PATH"], LC_ALL: "C" } });
    const version = stdout?.split("\n").find((line) => /\d/.test(line));
    return version === undefined ? [] : [[name, version.trim()]];
  });
  return {
    date: new Date().toISOString().slice(0, 10),
    command: "npm run bench",
    kernel: release(),
    processor: `${cpus()[0]?.model ?? "?"}, ${availableParallelism()} at a time`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    ...(Object.fromEntries(versions) as Record<string, string>),
    "load before": loadavg()
      .map((load) => load.toFixed(1))
      .join(", "),
  };
}
