import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Socket } from "node:net";
import { programAt } from "../../../os/path/programs.js";
import { afterLastWords, goneOrStuck } from "./stuck.js";

/**
 * Runs the rest of the command line in a child, and ends as that does. In a new pid namespace the child is process 1, with which the
 * kernel ends everything in there, and which the kernel has wait for all of it: so the plugin is its child. Another child of it waits for
 * the end of the host's pipe (4), and then kills the group. The messages go over 3, which the plugin alone keeps. When memory runs out,
 * the plugin is killed first. The shell's words on its end are dropped.
 */
const script = `
trap "" TERM INT HUP
ulimit -c 0
(
  ( read -r _ <&4; kill -KILL 0 ) </dev/null >/dev/null 2>&1 3>&- &
  echo 1000 >/proc/self/oom_score_adj
  ulimit -d "$1"; shift
  exec 5>&2 2>/dev/null
  "$@" 4<&- 2>&5 5>&- &
  exec 1>&- 3>&- 4<&- 5>&-
  wait $!
) &
exec 1>&- 2>/dev/null 3>&- 4<&-
wait $!
code=$?
[ $code -gt 128 ] && kill -$((code - 128)) $$
exit $code
`;

/** In a new pid namespace, if this process may make one: what is in it cannot signal what is not. */
const starter = `
"$0" --pid /bin/true 2>/dev/null && exec "$0" --pid /bin/sh -c "$@"
exec /bin/sh -c "$@"
`;

export interface ProgramSpec {
  command: readonly string[];
  /** The whole environment: it inherits nothing. */
  environment: Readonly<Record<string, string>>;
  /** Of its data, MiB: RLIMIT_DATA of getrlimit(2). */
  limitMb: number;
}

/** How a program ended; all null: it runs. */
export interface ProgramEnd {
  code: number | null;
  signal: string | null;
  error: Error | null;
}

/** A program of a plugin: it ends with this process, also if that is killed, and so does all of its process group. */
export interface ContainedProgram {
  readonly pid: number;
  /** A socket, which the program has as its descriptor 3. */
  readonly channel: Socket;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly end: Readonly<ProgramEnd>;
  readonly exited: Promise<void>;
  /** Called once: it has ended, and what it wrote was read. */
  onEnd(listener: () => void): void;
  /** "stuck": it hangs in a system call and cannot be ended. */
  kill(): Promise<"gone" | "stuck">;
}

/** Starts a program in its own session and process group. No channel of Node's own leads to it. */
export function startContained({ command, environment, limitMb }: ProgramSpec): ContainedProgram {
  const child = spawn("/bin/sh", ["-c", starter, unshare(), script, "sh", String(limitMb * 1024), ...command], {
    detached: true,
    env: { ...environment },
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
  });
  const [, , , channel, lifeline] = child.stdio as unknown as [null, Socket, Socket, Socket, Socket];
  channel.on("error", () => {});
  lifeline.on("error", () => {});
  const end: ProgramEnd = { code: null, signal: null, error: null };
  const listeners: (() => void)[] = [];
  const tell = (): void => listeners.splice(0).forEach((listener) => listener());
  const exited = new Promise<void>((resolve) => {
    // Without a process there is no exit event.
    child.once("error", (error) => {
      end.error = error;
      resolve();
      tell();
    });
    child.once("exit", (code, signal) => {
      Object.assign(end, { code, signal });
      resolve();
      lifeline.destroy();
      afterLastWords(tell, (listener) => child.once("close", listener));
    });
  });
  let kill: Promise<"gone" | "stuck"> | undefined;
  return {
    pid: child.pid ?? 0,
    channel,
    stdout: child.stdout,
    stderr: child.stderr,
    end,
    exited,
    onEnd: (listener) => void listeners.push(listener),
    kill() {
      kill ??= goneOrStuck(exited);
      lifeline.destroy();
      endGroup(child.pid);
      return kill;
    },
  };
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Without the program, the plugin runs in the namespace of the host. */
function unshare(): string {
  try {
    return programAt("unshare");
  } catch {
    return "/bin/false";
  }
}
