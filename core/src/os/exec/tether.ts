import { type ChildProcess, spawn } from "node:child_process";

/** Kills the process when the pipe ends; a line says that it has ended by itself. */
const script = `trap "" TERM INT HUP; read -r _ || kill -KILL "$1"`;

/** Makes a process of ours end with us, however we end and whatever it does: one that spins does not notice that we are gone. */
export function dieWithParent(child: ChildProcess): void {
  const guard = spawn("/bin/sh", ["-c", script, "sh", String(child.pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // It was ended by somebody, or could not be started: the process is as any other then.
  guard.on("error", () => {});
  guard.stdin.on("error", () => {});
  guard.unref();
  child.once("exit", () => guard.stdin.end("\n"));
}
