import { writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import type { Syscalls } from "#core/os/path/syscalls.js";
import { tempDir } from "../storage/temp.js";
import type { User } from "./unprivileged.js";

/** What happens between two calls to the kernel of a command, so that no race is left to chance. */
export interface Interference {
  /** Before this call, */
  before: keyof Syscalls;
  /** when it is made for this time, from 1 on. */
  time: number;
  /** Commands of a shell. */
  script: string;
  /** Whose rights they have; default: root's. */
  user?: User;
  /** The command itself is killed afterwards. */
  kills?: boolean;
}

/** Arguments of node for a command that is interfered with. */
export function interferedWith(t: TestContext, { before, time, script, user, kills = false }: Interference): string[] {
  const file = path.join(tempDir(t), "hook.mjs");
  const rights = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  writeFileSync(
    file,
    `import { execFileSync } from "node:child_process";
    import { kernel } from ${JSON.stringify(import.meta.resolve("#core/os/path/syscalls.js"))};
    import { isMainThread } from "node:worker_threads";
    const call = kernel.${before};
    let count = 0;
    if (isMainThread) kernel.${before} = (...args) => {
      count += 1;
      if (count === ${time}) {
        execFileSync("setpriv", [...${JSON.stringify(rights)}, "sh", "-ec", ${JSON.stringify(script)}]);
        if (${kills}) process.kill(process.pid, "SIGKILL");
      }
      return call(...args);
    };`,
  );
  return ["--import", file];
}
